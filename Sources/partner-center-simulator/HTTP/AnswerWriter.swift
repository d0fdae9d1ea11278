import HTTPTypes
import HummingbirdCore
import NIOCore

/// Sends an answer, or does to the connection what a fault wants instead.
struct AnswerWriter {
    let method: HTTPRequest.Method
    let connection: ClientConnection

    /// More than was announced would be another fault; this much less is certain to be noticed.
    private static let missingBytes = 64

    func send(_ answer: Answer, to writer: consuming ResponseWriter) async throws {
        switch answer.delivery {
        case .whole:
            let head = head(of: answer, length: answer.body.readableBytes)
            try await writer.write(response: head, body: ResponseBody(byteBuffer: answer.body))
        case .truncated:
            var body = try await writer.writeHead(
                head(of: answer, length: answer.body.readableBytes + Self.missingBytes)
            )
            try await body.write(answer.body)
            try await connection.close()
            throw ClientConnection.Abandoned()
        case .reset:
            try await connection.reset()
            throw ClientConnection.Abandoned()
        case .hanging(let milliseconds):
            try await wait(milliseconds: milliseconds)
            try await connection.close()
            throw ClientConnection.Abandoned()
        }
    }

    private func head(of answer: Answer, length: Int) -> HTTPResponse {
        var head = HTTPResponse(status: .init(code: answer.status), headerFields: answer.headers)
        // 204 has neither body nor length.
        if answer.status != 204 { head.headerFields[.contentLength] = String(length) }
        return head
    }

    private func wait(milliseconds: Int?) async throws {
        guard let milliseconds else { return try await connection.waitForClientToClose() }
        let connection = connection
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await connection.waitForClientToClose() }
            group.addTask { try await Task.sleep(for: .milliseconds(milliseconds)) }
            try await group.next()
            // The group waits for both: closing ends the other one.
            try await connection.close()
            group.cancelAll()
        }
    }
}
