/// Why a message is no valid command, with what could be read of it, so that the answer reaches whom it concerns.
package struct Rejection: Error, Sendable, Hashable {
    package let category: ErrorCategory
    package let faults: [Fault]
    package let readable: Readable

    package init(category: ErrorCategory, faults: [Fault], readable: Readable = Readable()) {
        self.category = category
        self.faults = faults
        self.readable = readable
    }

    /// The parts of a faulty command that are themselves valid.
    package struct Readable: Sendable, Hashable {
        package var kind: CommandKind?
        package var commandID: GUID?
        package var partnerTenantID: GUID?
        package var customerID: GUID?
        package var applicationID: GUID?
        package var requestedBy: String?

        package init() {}

        package init(_ command: Command) {
            kind = command.kind
            commandID = command.commandID
            partnerTenantID = command.partnerTenantID
            customerID = command.customerID
            applicationID = command.applicationID
            requestedBy = command.requestedBy
        }
    }
}
