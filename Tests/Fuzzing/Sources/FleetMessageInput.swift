import AMQP
import ConsentContract
import JSON
import RateLimiting

@testable import ConsentWorker

extension FuzzInput {
    /// What pods tell each other: owner tokens, control messages, permits.
    static let fleetMessage = FuzzInput(
        "fleet-message",
        JSONMutation(
            names: [
                "type", "pod", "ordering", "prefetch", "holder", "released", "leaseMs", "takeOvers", "suspect",
                "crashes",
                "owns", "pauses", "api", "application", "remainingMs", "replyTo", "requests", "restMs", "strict",
                "version", "epoch",
            ],
            values: [
                "hello", "goodbye", "pause", "operator-pause", "status", "presence", "customer", "none", "graph",
                "partnerCenter", "consent.status.x", "11111111-1111-4111-8111-111111111111",
            ]
        ),
        examples: {
            Examples.texts(
                #"{"ordering":"customer","prefetch":200,"holder":"a#1","released":false,"leaseMs":10000,"takeOvers":2,"suspect":"x","crashes":1}"#,
                #"{"pod":"a","type":"hello"}"#,
                #"{"pod":"a","type":"status","replyTo":"consent.status.1"}"#,
                #"{"type":"pause","api":"graph","application":"11111111-1111-4111-8111-111111111111","remainingMs":5}"#,
                #"{"type":"operator-pause","application":"11111111-1111-4111-8111-111111111111"}"#,
                #"{"type":"presence","owns":["11111111-1111-4111-8111-111111111111"],"pauses":[{"api":"graph","application":"11111111-1111-4111-8111-111111111111","remainingMs":5}]}"#,
                #"{"requests":50,"restMs":1030,"strict":false,"version":1800000000000,"epoch":"e1"}"#
            )
        }
    ) { bytes in
        let agreement = OwnerToken.Agreement(ordering: .customer, prefetch: 200)
        let delivery = Deliveries.delivery(.complete(bytes))
        let token = OwnerToken(delivery, assuming: agreement, lease: .seconds(10))
        try require((1...65_535).contains(token.agreement.prefetch), "the broker takes the prefetch")
        try require(token.lease > .zero && token.lease <= .seconds(3600), "a lease ends, and not at once")
        try require(token.record.takeOvers >= 0 && token.record.crashes >= 0, "counts are no less than nothing")
        let message = token.message(to: .random())
        let again = OwnerToken(
            Deliveries.delivery(.complete(message.body)),
            assuming: .init(ordering: .none, prefetch: 1),
            lease: .seconds(1)
        )
        try require(again == token, "a token is read as it was written")

        if let json = try? JSONParser.parse(bytes), let control = ControlMessage(json) {
            let written = try JSONParser.parse(control.message(from: "pod").body)
            try require(ControlMessage(written) == control, "a control message is read as it was written")
        }
        if let marker = PermitMarker(bytes) {
            try require(PermitMarker(marker.bytes) == marker, "a marker is read as it was written")
            try require(marker.terms.requests > 0 && marker.terms.restMilliseconds > 0, "permits are, and rest")
        }
        _ = PermitMarker.epoch(ofPermit: bytes)
    }
}
