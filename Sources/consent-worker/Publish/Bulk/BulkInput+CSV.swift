import AMQP
import ConsentWorker
import JSON

extension BulkInput {
    /// Columns that are members of the body as they are.
    private static let texts = [
        "customerId", "partnerTenantId", "applicationId", "commandId", "customerTenantId", "displayName", "deadline",
        "requestedBy",
    ]
    private static let columns = texts + ["correlationId", "dryRun", "grants"]

    /// A header line with the columns' names, then a command a line. An empty cell says nothing.
    mutating func readCSV(_ bytes: [UInt8]) {
        let (records, unreadable) = CSVReader.read(bytes)
        faults += unreadable
        guard let header = records.first else { return }
        var columns: [String?] = []
        for title in header.cells {
            let name = title.trimmed
            let column = Self.columns.first { $0.lowercased() == name.lowercased() }
            if column == nil { ignored.append(Printable.text(name)) }
            if let column, columns.contains(column) {
                faults.append(LineFault(line: header.line, reason: "has the column \(column) twice"))
            }
            columns.append(column)
        }
        guard columns.contains("customerId") else {
            faults.append(LineFault(line: header.line, reason: "the header has no column customerId"))
            return
        }
        for record in records.dropFirst() { readRecord(record, columns) }
    }

    private mutating func readRecord(_ record: CSVReader.Record, _ columns: [String?]) {
        func fault(_ reason: String) -> LineFault { LineFault(line: record.line, reason: reason) }
        guard record.cells.count == columns.count else {
            faults.append(fault("has \(record.cells.count) cells; the header has \(columns.count)"))
            return
        }
        var members = JSONObject()
        var correlationID: String?
        for case (let column?, let cell) in zip(columns, record.cells) {
            let text = cell.trimmed
            switch column {
            case _ where text.isEmpty: break
            case "correlationId":
                correlationID = text
                if text.utf8.count > 255 { faults.append(fault("correlationId: must have at most 255 bytes")) }
            case "dryRun":
                let flag = ["true": true, "false": false][text.lowercased()]
                if flag == nil { faults.append(fault("dryRun: must be true or false")) }
                members.append("dryRun", .bool(flag ?? true))
            case "grants":
                let grants = text.split(separator: ";").map { GrantText.parse(String($0).trimmed) }
                if grants.contains(nil) { faults.append(fault("grants: expects resource=scope,scope;resource=scope")) }
                members.append("applicationGrants", .array(grants.compactMap { $0 }))
            default: members.append(column, .string(text))
            }
        }
        rows.append(BulkRow(line: record.line, members: members, correlationID: correlationID))
    }
}

extension String {
    /// Without blanks at both ends.
    fileprivate var trimmed: String {
        var rest = self[...]
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
