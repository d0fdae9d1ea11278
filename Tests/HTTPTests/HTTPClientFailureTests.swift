import HTTP
import TestSupport
import Testing

@Suite("HTTP client failures", .timeLimit(.minutes(1)))
struct HTTPClientFailureTests {
    private func failure(_ client: HTTPClient, _ request: HTTPRequest) async -> HTTPError? {
        await #expect(throws: HTTPError.self) { try await client.send(request) }
    }

    @Test(
        "a kept connection that turns out dead fails the request instead of repeating it",
        arguments: [
            HTTPRequest.Method.post, .delete, .get,
        ]
    )
    func deadConnection(method: HTTPRequest.Method) async throws {
        let scripts: [[ScriptedServer.Step]] = [
            [.receive, .send(ok), .receive, .close],
            // libcurl connects again before the repeat is refused.
            [.receive, .send(ok)], [.receive, .send(ok)],
        ]
        try await withServer(scripts) { client, server in
            let body: [UInt8]? = method == .post ? [65] : nil
            _ = try await client.send(HTTPRequest(.get, server.url))
            let error = await failure(client, HTTPRequest(method, server.url, body: body))
            #expect(error?.code == .connectionLost)
            #expect(error?.wasSent == true)
            await server.ends.when(1)
            #expect(server.requests.events.count == 2)
            // The next one is served on a connection of its own.
            try await expectOK(client, HTTPRequest(.get, server.url))
            #expect(server.requests.events.count == 3)
        }
    }

    @Test(
        "a new connection that is closed or reset before the answer fails the request",
        arguments: [
            [ScriptedServer.Step.receive, .close], [.receive, .reset],
            [.receive, .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), .close],
            [.receive, .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), .reset],
            [.receive, .send("HTTP/1.1 2"), .close],
        ]
    )
    func connectionLost(script: [ScriptedServer.Step]) async throws {
        try await withServer([script, [.receive, .send(ok)]]) { client, server in
            let error = await failure(client, HTTPRequest(.post, server.url, body: [65]))
            #expect(error?.code == .connectionLost || error?.code == .malformedResponse)
            #expect(error?.wasSent == true)
            #expect(server.connections.events.count == 1)
        }
    }

    @Test("nobody listening is a failed connection, and nothing was sent")
    func refused() async throws {
        try await withServer([]) { client, _ in
            // The discard port: one that was listened on a moment ago may be another test's server by now.
            let error = await failure(client, HTTPRequest(.get, "http://127.0.0.1:9/"))
            #expect(error?.code == .connectionFailed)
            #expect(error?.wasSent == false)
        }
    }

    @Test(
        "an answer that does not come in time says that the request was sent",
        arguments: [
            [ScriptedServer.Step.receive, .hang],
            [.receive, .send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), .hang],
        ]
    )
    func timeout(script: [ScriptedServer.Step]) async throws {
        try await withServer([script]) { client, server in
            // Long enough to connect and send on a busy machine.
            let error = await failure(client, HTTPRequest(.get, server.url, timeout: .seconds(3)))
            #expect(error?.code == .timedOut)
            #expect(error?.wasSent == true)
        }
    }

    @Test("a cancelled request ends at once, says that it was sent, and hangs up")
    func cancelled() async throws {
        try await withServer([[.receive, .hang]]) { client, server in
            let task = Task { try await client.send(HTTPRequest(.post, server.url, body: [65])) }
            await server.requests.when(1)
            task.cancel()
            let error = await #expect(throws: HTTPError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.wasSent == true)
            await server.ends.when(1)
        }
    }

    @Test("a request that is cancelled before it starts is not sent")
    func cancelledBefore() async throws {
        try await withServer([]) { client, server in
            let gate = EventLog<Void>()
            let task = Task {
                await gate.when(1)
                return try await client.send(HTTPRequest(.post, server.url, body: [65]))
            }
            task.cancel()
            gate.append(())
            let error = await #expect(throws: HTTPError.self) { try await task.value }
            #expect(error?.code == .cancelled)
            #expect(error?.wasSent == false)
            #expect(server.requests.events.isEmpty)
        }
    }

    @Test(
        "a header without end is not kept",
        arguments: ["X-A: \(String(repeating: "a", count: 1000))\r\n", "aaaaaaaaaa"]
    )
    func endlessHeader(text: String) async throws {
        let script: [ScriptedServer.Step] = [
            .receive, .send("HTTP/1.1 200 OK\r\nX: "), .sendRepeatedly(text, bytes: 8 << 20),
        ]
        try await withServer([script]) { client, server in
            let error = await failure(client, HTTPRequest(.get, server.url))
            #expect(error?.code == .responseTooLarge, "\(error?.message ?? "")")
            #expect(error?.wasSent == true)
            await server.ends.when(1)
        }
    }

    @Test(
        "a body over the bound is not kept, announced or not",
        arguments: [
            "Content-Length: 8388608\r\n", "Connection: close\r\n",
        ]
    )
    func hugeBody(header: String) async throws {
        var options = HTTPOptions()
        options.maximumBodyBytes = 1 << 20
        let script: [ScriptedServer.Step] = [
            .receive, .send("HTTP/1.1 200 OK\r\n\(header)\r\n"),
            .sendRepeatedly(String(repeating: "b", count: 4096), bytes: 8 << 20), .close,
        ]
        try await withServer([script], options: options) { client, server in
            let error = await failure(client, HTTPRequest(.get, server.url))
            #expect(error?.code == .responseTooLarge)
            await server.ends.when(1)
        }
    }

    @Test("a body of exactly the bound is kept")
    func largestBody() async throws {
        var options = HTTPOptions()
        options.maximumBodyBytes = 2
        try await withServer([[.receive, .send(ok)]], options: options) { client, server in
            let response = try await client.send(HTTPRequest(.get, server.url))
            #expect(response.body.count == 2)
        }
    }

    @Test("what is no HTTP is told apart")
    func notHTTP() async throws {
        try await withServer([[.receive, .send("SSH-2.0-OpenSSH\r\n\r\n"), .close]]) { client, server in
            let error = await failure(client, HTTPRequest(.get, server.url))
            #expect(error?.code == .malformedResponse)
        }
    }

    @Test(
        "addresses that are none are refused unsent",
        arguments: [
            "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "http://", "http://127.0.0.1:x/",
            "http://127.0.0.1/a b", "http://127.0.0.1/\r\nX: y",
        ]
    )
    func badAddresses(url: String) async throws {
        try await withServer([]) { client, _ in
            let error = await failure(client, HTTPRequest(.get, url))
            #expect(error?.code == .invalidRequest)
            #expect(error?.wasSent == false)
        }
    }

    @Test("a shutdown fails what is under way and what comes later")
    func shutdown() async throws {
        let server = ScriptedServer([[.receive, .hang]])
        defer { server.stop() }
        let client = HTTPClient()
        let task = Task { try await client.send(HTTPRequest(.post, server.url, body: [65])) }
        await server.requests.when(1)
        await client.shutdown()
        let pending = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(pending?.code == .cancelled)
        #expect(pending?.wasSent == true)
        let later = await failure(client, HTTPRequest(.get, server.url))
        #expect(later?.code == .cancelled)
        #expect(later?.wasSent == false)
        await server.ends.when(1)
    }
}
