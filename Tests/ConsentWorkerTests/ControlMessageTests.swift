import AMQP
import ConsentContract
import JSON
import MicrosoftAPI
import Testing

@testable import ConsentWorker

/// What pods tell each other.
struct ControlMessageTests {
    private func read(_ text: String) throws -> ControlMessage? {
        ControlMessage(try JSONParser.parse(Array(text.utf8)))
    }

    @Test func everyMessageIsReadAsItWasWritten() throws {
        let pause = ControlMessage.Pause(api: .graph, applicationID: .random(), remaining: .milliseconds(1500))
        for message in [
            ControlMessage.hello, .goodbye, .pause(pause),
            .presence(.init(owns: [.random(), .random()], pauses: [pause])), .presence(.init(owns: [], pauses: [])),
        ] {
            let json = try JSONParser.parse(message.message(from: "pod-1").body)
            #expect(ControlMessage(json) == message)
            #expect(json["pod"] == "pod-1")
        }
    }

    @Test func whatIsNotUnderstoodIsPassedOver() throws {
        #expect(try read(#"{"type":"more","pod":"p"}"#) == nil)
        #expect(try read(#"[]"#) == nil)
        #expect(try read(#"{"type":"pause","api":"sharepoint","application":"x","remainingMs":5}"#) == nil)
        let application = GUID.random()
        #expect(try read(#"{"type":"pause","api":"graph","application":"\#(application)","remainingMs":-5}"#) == nil)
        let presence = try read(#"{"type":"presence","owns":["\#(application)","nonsense",7],"pauses":[{}]}"#)
        #expect(presence == .presence(.init(owns: [application], pauses: [])))
    }

    @Test func aNoticeStopsAnApplicationForAnHourAtMost() throws {
        let application = GUID.random()
        let message = try read(
            #"{"type":"pause","api":"graph","application":"\#(application)","remainingMs":999999999999}"#
        )
        #expect(
            message == .pause(.init(api: .graph, applicationID: application, remaining: .seconds(3600)))
        )
    }
}
