import HTTPTypes

/// A refusal of Graph.
struct GraphError: Error, Equatable, Sendable {
    var status: Int
    var code: String
    var message: String
    var innerCode: String?

    static func badRequest(_ message: String) -> GraphError {
        GraphError(status: 400, code: "BadRequest", message: message)
    }

    static func notFound(_ id: String) -> GraphError {
        GraphError(
            status: 404,
            code: "Request_ResourceNotFound",
            message: "Resource '\(id)' does not exist or one of its queried reference-property objects are not present."
        )
    }

    func answer(clientRequestID: String?) -> Answer {
        let requestID = Identifiers.guid()
        var inner: [String: JSON] = [
            "date": .string(UTCTime.now().withoutZone),
            "request-id": .string(requestID),
            "client-request-id": .string(clientRequestID ?? requestID),
        ]
        if let innerCode { inner["code"] = .string(innerCode) }
        var answer = Answer.json(
            status,
            ["error": ["code": .string(code), "message": .string(message), "innerError": .object(inner)]] as JSON
        )
        answer.headers[.requestID] = requestID
        return answer
    }
}
