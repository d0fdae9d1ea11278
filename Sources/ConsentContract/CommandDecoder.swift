import JSON

/// Reads a command from a message's body and names every fault, not just the first.
///
/// Says what `schemas/command.*.schema.json` say; tests hold the two together.
package enum CommandDecoder {
    /// The largest body that is read, in bytes.
    package static let maximumBodyBytes = 65_536
    package static let maximumGrants = 32
    package static let maximumScopes = 64
    /// What one event names at most: a small body can hold very many faults.
    package static let maximumFaults = 100

    private static let reservedScopes = ["openid", "profile", "offline_access"]

    /// - Throws: the rejection with every fault, and with what of the command could be read nevertheless.
    package static func decode(_ body: [UInt8]) throws(Rejection) -> Command {
        guard body.count <= maximumBodyBytes else {
            throw Rejection(category: .bodyTooLarge, faults: [tooLarge(bytes: body.count)])
        }
        let document: JSONValue
        do {
            document = try JSONParser.parse(body)
        } catch  where error.code == .tooDeep {
            throw Rejection(category: .invalidCommand, faults: [Fault(.root, error.description)])
        } catch {
            throw Rejection(category: .malformedMessage, faults: [Fault(.root, "not JSON: \(error)")])
        }
        guard case .object(let object) = document else {
            let fault = Fault(.root, "must be an object, not \(document.typeName)")
            throw Rejection(category: .malformedMessage, faults: [fault])
        }
        var reader = ObjectReader(object)
        return try command(&reader, Duplicates.faults(in: document))
    }

    /// The fault of a body that is over the limit, whether it was received or only announced.
    package static func tooLarge(bytes: some BinaryInteger) -> Fault {
        Fault(.root, "body of \(bytes) bytes exceeds the limit of \(maximumBodyBytes)")
    }

    private static func command(
        _ reader: inout ObjectReader,
        _ duplicates: [Fault]
    ) throws(Rejection) -> Command {
        var readable = Rejection.Readable()
        readable.kind = kind(&reader)
        if let contract = reader.string("contract", required: false), contract != "1" {
            reader.fault("contract", "must be \"1\"; this worker speaks no other contract")
        }
        readable.commandID = reader.guid("commandId")
        readable.partnerTenantID = reader.guid("partnerTenantId")
        readable.customerID = reader.guid("customerId")
        readable.applicationID = reader.guid("applicationId")
        let issuedAt = reader.timestamp("issuedAt")
        let deadline = reader.timestamp("deadline")
        let dryRun = reader.bool("dryRun") ?? false
        readable.requestedBy = reader.text("requestedBy", bytes: 256)
        let displayName = readable.kind == .grant ? reader.text("displayName", characters: 1...256) : nil
        let action = action(readable.kind, &reader)
        let customerTenantID = readable.kind == .query ? reader.guid("customerTenantId", required: false) : nil

        let ownTenant = ownTenant(readable, customerTenantID)
        let faults = duplicates + reader.faults
        guard faults.isEmpty, let commandID = readable.commandID, let partnerTenantID = readable.partnerTenantID,
            let customerID = readable.customerID, let applicationID = readable.applicationID, let action
        else {
            throw Rejection(category: .invalidCommand, faults: bounded(faults + ownTenant), readable: readable)
        }
        guard ownTenant.isEmpty else {
            throw Rejection(category: .ownTenantRefused, faults: ownTenant, readable: readable)
        }
        return Command(
            commandID: commandID,
            partnerTenantID: partnerTenantID,
            customerID: customerID,
            applicationID: applicationID,
            action: action,
            customerTenantID: customerTenantID,
            displayName: displayName,
            issuedAt: issuedAt,
            deadline: deadline,
            dryRun: dryRun,
            requestedBy: readable.requestedBy
        )
    }

    private static func bounded(_ faults: [Fault]) -> [Fault] {
        guard faults.count > maximumFaults else { return faults }
        let further = faults.count - maximumFaults + 1
        return faults.prefix(maximumFaults - 1) + [Fault(.root, "has \(further) further faults")]
    }

    private static func ownTenant(_ readable: Rejection.Readable, _ customerTenantID: GUID?) -> [Fault] {
        guard let partner = readable.partnerTenantID else { return [] }
        var faults: [Fault] = []
        let reason = "is the partner's own tenant"
        if readable.customerID == partner { faults.append(Fault(.root / "customerId", reason)) }
        if customerTenantID == partner { faults.append(Fault(.root / "customerTenantId", reason)) }
        return faults
    }

    private static func kind(_ reader: inout ObjectReader) -> CommandKind? {
        guard let name = reader.string("command") else { return nil }
        guard let kind = CommandKind(rawValue: name) else {
            reader.fault("command", "must be one of grant, revoke, query")
            return nil
        }
        return kind
    }

    private static func action(_ kind: CommandKind?, _ reader: inout ObjectReader) -> Command.Action? {
        switch kind {
        case nil: return nil
        case .grant:
            reader.refuse("query", "belongs to query commands only")
            return grants(&reader).map { .grant($0) }
        case .revoke:
            reader.refuse("applicationGrants", "belongs to grant commands only")
            reader.refuse("query", "belongs to query commands only")
            return .revoke
        case .query:
            reader.refuse("applicationGrants", "belongs to grant commands only")
            return QueryDecoder.decode(&reader).map { .query($0) }
        }
    }

    private static func grants(_ reader: inout ObjectReader) -> [ApplicationGrant]? {
        guard let elements = reader.array("applicationGrants", count: 1...maximumGrants) else { return nil }
        var grants: [ApplicationGrant] = []
        for (index, element) in elements.enumerated() {
            let grant = reader.nested(element, at: "applicationGrants", index) { reader -> ApplicationGrant? in
                let application = reader.guid("enterpriseApplicationId")
                let scopes = scopes(&reader)
                guard let application, let scopes else { return nil }
                return ApplicationGrant(enterpriseApplicationID: application, scopes: scopes)
            }
            if let grant { grants.append(grant) }
        }
        return grants.count == elements.count ? grants : nil
    }

    private static func scopes(_ reader: inout ObjectReader) -> [String]? {
        guard let text = reader.string("scope") else { return nil }
        // By bytes: to a Swift string, a comma with a combining accent is another character.
        let scopes = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(Substring($0.trimmed)) }
        if scopes.count > maximumScopes {
            reader.fault("scope", "names \(scopes.count) scopes; at most \(maximumScopes) are allowed")
        } else if scopes.contains("") {
            reader.fault("scope", "has an empty scope; scopes are separated by single commas")
        } else if !scopes.allSatisfy({ $0.utf8.allSatisfy(isScopeCharacter) }) {
            reader.fault("scope", "has a blank or another character that no scope has; scopes are separated by commas")
        } else if let reserved = scopes.first(where: isReserved) {
            reader.fault("scope", "\(reserved) is implied and cannot be granted")
        } else {
            return scopes
        }
        return nil
    }

    private static func isReserved(_ scope: String) -> Bool {
        // Most differ in length already.
        reservedScopes.contains { $0.utf8.count == scope.utf8.count && $0 == scope.lowercased() }
    }

    /// What a scope-token has (RFC 6749 section 3.3), but for the comma, which separates here.
    private static func isScopeCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\\"): false
        case 0x21...0x7E: true
        default: false
        }
    }
}

extension Substring.UTF8View {
    /// Without blanks and tabs at both ends.
    fileprivate var trimmed: Self {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
