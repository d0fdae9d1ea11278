import ConsentContract

/// The `ms-correlationid` that a correlation ID becomes.
enum Correlation {
    static func header(_ correlationID: String) -> String { Identifiers.correlation(correlationID).description }
}
