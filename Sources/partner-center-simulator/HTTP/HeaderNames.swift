import HTTPTypes

extension HTTPField.Name {
    /// Carries the moment of arrival from the event loop to the route; never seen by a client.
    static let arrivalStamp = known("x-simulator-arrival")

    static let msRequestID = known("MS-RequestId")
    static let msCorrelationID = known("MS-CorrelationId")
    static let msCorrelationVector = known("MS-CV")
    static let msServerID = known("MS-ServerId")
    static let requestID = known("request-id")
    static let clientRequestID = known("client-request-id")
    static let traceparent = known("traceparent")
    static let tracestate = known("tracestate")

    private static func known(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is no header name") }
        return name
    }
}
