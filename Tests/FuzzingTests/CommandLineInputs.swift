import Fuzzing
import JSON

@testable import consent_worker

extension FuzzInput {
    /// What the command line reads; tried without coverage only, as its module is an executable's.
    static let ofTheCommandLine = [csv, jsonLines, event]

    private static let csv = FuzzInput(
        "csv",
        TextMutation([
            "customerId", "partnerTenantId", "applicationId", "commandId", "correlationId", "dryRun", "grants", ",",
            ";",
            "\t", "\"", "\"\"", "\r\n", "\n", "\r", "=", "33333333-3333-4333-8333-000000000001",
        ]),
        examples: {
            [
                "customerId,displayName,grants\r\n33333333-3333-4333-8333-000000000001,\"Contoso, \"\"Ltd.\"\"\",r=a,b;r=c\r\n",
                "\u{FEFF}customerId;dryRun;correlationId\n33333333-3333-4333-8333-000000000001;true;x\n\n;;\n",
                "customerId\tother\n\"a\nb\"\t\n", "a,customerId,customerId\n1,2\n", "\"",
            ].map { Array($0.utf8) }
        }
    ) { bytes in try check(BulkInput(bytes, .csv), lines: bytes) }

    private static let jsonLines = FuzzInput(
        "json-lines",
        TextMutation(["customerId", "correlationId", "{", "}", "[", "]", ":", "\"", "\n", "\r\n", "\\u0000", "null"]),
        examples: {
            [
                #"{"customerId":"33333333-3333-4333-8333-000000000001","correlationId":"x","other":[1]}"# + "\n\n{}\n",
                "{\"customerId\":1}\r\n{", "[]\nnull\n",
            ].map { Array($0.utf8) }
        }
    ) { bytes in try check(BulkInput(bytes, .jsonl), lines: bytes) }

    private static func check(_ input: BulkInput, lines bytes: [UInt8]) throws {
        // A carriage return ends a line too.
        let lines = bytes.count { $0 == 0x0A || $0 == 0x0D } + 1
        for line in input.rows.map(\.line) + input.faults.map(\.line) {
            try require((1...lines).contains(line), "line \(line) is one of \(lines)")
        }
        try require(input.rows.map(\.line) == input.rows.map(\.line).sorted(), "rows are in order")
        try require(input.faults.allSatisfy { !$0.reason.isEmpty }, "a fault has a reason")
        for row in input.rows {
            try require((row.correlationID?.utf8.count ?? 0) <= 255 || !input.faults.isEmpty, "AMQP takes the ID")
            try require((try? JSONParser.parse(JSONValue.object(row.members).bytes)) != nil, "a row makes a body")
        }
    }

    /// An event as a person sees it who watches them.
    private static let event = FuzzInput(
        "event",
        JSONMutation(names: [
            "data", "error", "result", "count", "requests", "timings", "totalMs", "outcome", "category",
        ]),
        examples: {
            [
                #"{"data":{"command":"grant","outcome":"failed","effect":"none","customerId":"c","timings":{"totalMs":1},"#
                    + #""error":{"category":"conflict","message":"m","remedy":"r"},"#
                    + #""result":{"count":1,"requests":[{"method":"GET","url":"u"}]}}}"#
            ].map { Array($0.utf8) }
        }
    ) { bytes in
        guard let json = try? JSONParser.parse(bytes) else { return }
        let summary = ReceivedEvent(json: json).summary
        let isPrintable = !summary.unicodeScalars.contains { $0.properties.generalCategory == .control && $0 != "\n" }
        try require(isPrintable, "what is shown to people is printable")
    }
}
