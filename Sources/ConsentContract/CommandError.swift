package import JSON

/// Why a command did not succeed: the `error` of its event.
package struct CommandError: Error, Sendable, Hashable {
    /// Who said no.
    package enum Source: String, Sendable, Hashable, CaseIterable {
        case worker, partnerCenter, graph, identity
    }

    package let category: ErrorCategory
    /// One sentence for people. Never holds a secret or a customer's data.
    package let message: String
    package let source: Source
    package let status: Int?
    /// The other side's own code.
    package let code: String?
    /// The other side's own words, cut to a bound.
    package let description: String?
    package let faults: [Fault]

    package init(
        _ category: ErrorCategory,
        _ message: String,
        source: Source = .worker,
        status: Int? = nil,
        code: String? = nil,
        description: String? = nil,
        faults: [Fault] = []
    ) {
        self.category = category
        self.message = message
        self.source = source
        self.status = status
        self.code = code
        self.description = description
        self.faults = faults
    }

    package init(_ rejection: Rejection) {
        self.init(
            rejection.category,
            rejection.faults.map { "\($0.pointer) \($0.reason)".trimmingPrefix(" ") }.joined(separator: "; "),
            faults: rejection.faults
        )
    }

    package var json: JSONValue {
        var object = JSONObject()
        object.append("category", .string(category.rawValue))
        object.append("message", .string(message))
        object.append("retryable", .bool(category.isRetryable))
        object.append("remedy", .string(category.remedy))
        object.append("fixableBy", .string(category.fixableBy.rawValue))
        object.append("source", .string(source.rawValue))
        object.append("status", JSONValue(status))
        object.append("code", JSONValue(code))
        object.append("description", JSONValue(description))
        if category.outcome == .rejected {
            object.append(
                "faults",
                .array(faults.map { ["pointer": .string($0.pointer.description), "reason": .string($0.reason)] })
            )
        }
        return .object(object)
    }
}
