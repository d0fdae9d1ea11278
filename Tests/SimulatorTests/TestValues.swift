import HTTPTypes
import NIOCore

@testable import partner_center_simulator

/// Values that tests of several parts need.
enum TestValues {
    static let application = "11111111-1111-4111-8111-111111111111"
    static let otherApplication = "11111111-1111-4111-8111-222222222222"
    static let partner = "22222222-2222-4222-8222-222222222222"
    static let customer = "33333333-3333-4333-8333-333333333333"

    static func milliseconds(_ number: Int) -> MonotonicTime {
        MonotonicTime(nanoseconds: number * 1_000_000)
    }

    static func grantCall(
        customer: String = customer,
        token: String? = nil,
        body: String = #"{"applicationId": "\#(application)", "applicationGrants": [\#(grant)]}"#,
        requestID: String? = nil,
        at time: MonotonicTime = milliseconds(0)
    ) -> APICall {
        let segments = [Substring(customer)]
        var call = APICall(kind: .grant, method: .post, path: path(customer), segments: segments, arrivedAt: time)
        call.body = ByteBuffer(string: body)
        if let token { call.headers[.authorization] = "Bearer \(token)" }
        call.headers[.msRequestID] = requestID
        return call
    }

    static func revokeCall(token: String? = nil, requestID: String? = nil) -> APICall {
        var call = APICall(
            kind: .revoke,
            method: .delete,
            path: "\(path(customer))/\(application)",
            segments: [Substring(customer), Substring(application)],
            arrivedAt: milliseconds(0)
        )
        if let token { call.headers[.authorization] = "Bearer \(token)" }
        call.headers[.msRequestID] = requestID
        return call
    }

    /// To the simulator under `https://localhost:1`.
    static func tokenCall(tenant: String = partner, form: [String: String]) -> APICall {
        let pairs = form.map { "\($0)=\(FormFields.encoded($1))" }
        return APICall(
            kind: .token,
            method: .post,
            path: "/\(tenant)/oauth2/v2.0/token",
            segments: [Substring(tenant)],
            scheme: "https",
            authority: "localhost:1",
            body: ByteBuffer(string: pairs.joined(separator: "&")),
            arrivedAt: milliseconds(0)
        )
    }

    static func plan(_ text: String = "{}") throws -> SimulationPlan {
        try JSONText.decode(SimulationPlan.self, from: text.utf8)
    }

    static func faults(_ text: String) throws -> [Fault] {
        try JSONText.decode([Fault].self, from: text.utf8)
    }

    static let grant = #"{"enterpriseApplicationId": "00000003-0000-0000-c000-000000000000", "scope": "User.Read"}"#

    private static func path(_ customer: String) -> String {
        "/v1/customers/\(customer)/applicationconsents"
    }
}

extension Answer {
    var json: JSON? { try? JSONText.decode(JSON.self, from: body.readableBytesView) }
}
