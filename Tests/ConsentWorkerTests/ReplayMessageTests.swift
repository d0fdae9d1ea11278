import AMQP
import ConsentContract
import Testing

@testable import ConsentWorker

/// What a replay publishes.
struct ReplayMessageTests {
    private typealias Fixtures = LetterFixtures

    private func refusal(_ properties: AMQPProperties, _ body: AMQPDelivery.Body) -> String? {
        do throws(ReplayMessage.Refusal) {
            _ = try ReplayMessage.make(properties, body)
            return nil
        } catch {
            return error.description
        }
    }

    @Test func itIsThePublishersMessageAsTheNextTry() throws {
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let body = Fixtures.command(.random())
        let properties = Fixtures.properties(
            generation: 3,
            headers: [
                "traceparent": .string(traceparent), "tracestate": "a=b", "tenant-hint": "x", "x-death": .array([]),
                "x-delivery-count": 7, "consent-attempts": 8, "consent-routing-key": "somewhere.else",
            ]
        )
        let message = try ReplayMessage.make(properties, .complete(body))
        #expect(message.exchange == "consent.commands" && message.mandatory && message.body == body)
        #expect(message.routingKey == "\(Fixtures.application).\(Fixtures.customer)")
        #expect(
            message.properties.headers == [
                "traceparent": .string(traceparent), "tracestate": "a=b", "tenant-hint": "x", "consent-generation": 4,
            ]
        )
        #expect(message.properties.correlationID == "order-4711" && message.properties.messageID == "message-1")
        #expect(message.properties.contentType == "application/json" && message.properties.deliveryMode == 2)
    }

    @Test func theFirstReplayIsGenerationOneAndTheCountDoesNotOverflow() throws {
        func generation(_ before: Int?) throws -> Int64? {
            let body = Fixtures.command(.random())
            return try ReplayMessage.make(Fixtures.properties(generation: before), .complete(body))
                .properties.headers["consent-generation"]?.int
        }
        #expect(try generation(nil) == 1)
        #expect(try generation(-5) == 1)
        #expect(try generation(.max) == .max)
    }

    @Test func whatThePublisherHasToPutRightIsRefused() {
        let body = AMQPDelivery.Body.complete(Fixtures.command(.random()))
        #expect(refusal(Fixtures.properties(), body) == nil)
        let malformed = refusal(Fixtures.properties(.malformedMessage), .complete(Array("{".utf8)))
        #expect(malformed?.contains("malformedMessage") == true)
        let invalid = refusal(Fixtures.properties(.invalidCommand), .complete(Array("{}".utf8)))
        #expect(invalid?.contains("invalidCommand") == true)
        let large = Fixtures.properties(.bodyTooLarge, headers: ["consent-body-bytes": 70_000])
        #expect(refusal(large, .complete([]))?.contains("too large") == true)
        #expect(refusal(Fixtures.properties(), .tooLarge(bytes: 5_000_000))?.contains("too large") == true)
        #expect(refusal(Fixtures.properties(.routingKeyMismatch), body)?.contains("routing key") == true)
    }
}
