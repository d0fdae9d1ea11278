import JSON

/// Finds members given twice anywhere in a document, in members that are otherwise ignored too: publisher and worker
/// could take different ones.
enum Duplicates {
    /// A longer pointer is cut to what is above it: many of them would make an event far larger than its command.
    private static let maximumPointerBytes = 1024

    static func faults(in document: JSONValue) -> [Fault] {
        // Almost no document has any: where they are is worked out only then.
        exist(in: document) ? faults(in: document, at: .root) : []
    }

    private static func exist(in value: JSONValue) -> Bool {
        switch value {
        case .array(let elements): elements.contains(where: exist)
        case .object(let object): !object.duplicates.isEmpty || object.members.contains { exist(in: $0.value) }
        default: false
        }
    }

    private static func faults(in value: JSONValue, at pointer: JSONPointer) -> [Fault] {
        switch value {
        case .array(let elements):
            return elements.enumerated().flatMap { faults(in: $0.element, at: bounded(pointer / $0.offset, pointer)) }
        case .object(let object):
            let own = object.duplicates.map { Fault(bounded(pointer / $0, pointer), "occurs more than once") }
            return own + object.members.flatMap { faults(in: $0.value, at: bounded(pointer / $0.name, pointer)) }
        default:
            return []
        }
    }

    private static func bounded(_ pointer: JSONPointer, _ parent: JSONPointer) -> JSONPointer {
        pointer.description.utf8.count <= maximumPointerBytes ? pointer : parent
    }
}
