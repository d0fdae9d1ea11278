/// What a command asks for; the wire name is the raw value.
package enum CommandKind: String, Sendable, Hashable, CaseIterable {
    case grant, revoke, query
}
