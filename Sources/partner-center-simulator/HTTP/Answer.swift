import FoundationEssentials
import HTTPTypes
import NIOCore

/// What a client gets, and how.
struct Answer: Sendable {
    /// How the answer goes out; all but `whole` are faults.
    enum Delivery: Equatable, Sendable {
        case whole
        /// Announces more bytes than it sends, then closes.
        case truncated
        /// No answer: the connection is closed with RST.
        case reset
        /// No answer: the connection is closed after so long, or when the client gives up.
        case hanging(milliseconds: Int?)
    }

    var status: Int
    var headers = HTTPFields()
    var body = ByteBuffer()
    var delivery = Delivery.whole

    /// The status that the client sees, nil if it never gets one.
    var visibleStatus: Int? {
        switch delivery {
        case .whole, .truncated: status
        case .reset, .hanging: nil
        }
    }

    static func json(_ status: Int, _ value: some Encodable) -> Answer {
        var answer = Answer(status: status)
        answer.headers[.contentType] = "application/json; charset=utf-8"
        answer.body = ByteBuffer(bytes: JSONText.encode(value))
        return answer
    }

    static func text(_ status: Int, contentType: String, _ text: String) -> Answer {
        var answer = Answer(status: status)
        answer.headers[.contentType] = contentType
        answer.body = ByteBuffer(string: text)
        return answer
    }
}
