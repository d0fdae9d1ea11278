import HTTP
import NIOConcurrencyHelpers
import TestSupport
import Testing

/// Runs `body` with a client and a server that plays the scripts, one a connection, and ends both.
func withServer(
    _ scripts: [[ScriptedServer.Step]],
    options: HTTPOptions = HTTPOptions(),
    _ body: (HTTPClient, ScriptedServer) async throws -> Void
) async throws {
    let server = ScriptedServer(scripts)
    let client = HTTPClient(options: options)
    defer { server.stop() }
    do {
        try await body(client, server)
    } catch {
        await client.shutdown()
        throw error
    }
    await client.shutdown()
}

func expectOK(
    _ client: HTTPClient,
    _ request: HTTPRequest,
    sourceLocation: SourceLocation = #_sourceLocation
) async throws {
    let response = try await client.send(request)
    #expect(response.status == 200, sourceLocation: sourceLocation)
}

let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Test: yes\r\n\r\nok"

@Suite("HTTP client", .timeLimit(.minutes(1)))
struct HTTPClientTests {
    @Test("gives status, headers and body of an answer")
    func answer() async throws {
        try await withServer([[.receive, .send(ok)]]) { client, server in
            let response = try await client.send(
                HTTPRequest(.get, "\(server.url)/a?b=c", headers: [HTTPHeader("X-Y", "z")])
            )
            #expect(response.status == 200)
            #expect(response.body == Array("ok".utf8))
            #expect(response[header: "x-test"] == "yes")
            #expect(response[header: "x-other"] == nil)
            let request = try #require(server.requests.events.first)
            #expect(request.hasPrefix("GET /a?b=c HTTP/1.1\r\n"))
            #expect(request.contains("\r\nX-Y: z\r\n"))
        }
    }

    @Test("keeps a connection for later requests")
    func keepAlive() async throws {
        try await withServer([Array(repeating: [.receive, .send(ok)], count: 5).flatMap(\.self)]) { client, server in
            for _ in 0..<5 { try await expectOK(client, HTTPRequest(.get, server.url)) }
            #expect(server.connections.events.count == 1)
        }
    }

    @Test("sends a body with its size and without asking first", arguments: [1, 2000, 1 << 20])
    func body(size: Int) async throws {
        try await withServer([[.receive, .send(ok)]]) { client, server in
            let body = [UInt8](repeating: UInt8(ascii: "x"), count: size)
            let response = try await client.send(HTTPRequest(.post, server.url, body: body))
            #expect(response.status == 200)
            let request = try #require(server.requests.events.first)
            #expect(request.lowercased().contains("\r\ncontent-length: \(size)\r\n"))
            #expect(!request.lowercased().contains("expect:"))
            #expect(request.hasSuffix("\r\n\r\n" + String(repeating: "x", count: size)))
        }
    }

    @Test("a POST without body announces none and does not read standard input", arguments: [nil, []] as [[UInt8]?])
    func emptyPost(body: [UInt8]?) async throws {
        try await withServer([[.receive, .send(ok)]]) { client, server in
            _ = try await client.send(HTTPRequest(.post, server.url, body: body))
            let request = try #require(server.requests.events.first).lowercased()
            #expect(request.hasPrefix("post / http/1.1\r\n"))
            #expect(request.contains("\r\ncontent-length: 0\r\n"))
            #expect(!request.contains("transfer-encoding"))
        }
    }

    @Test("a handle that posted is clean for the next request")
    func reusedHandle() async throws {
        let scripts = [Array(repeating: [ScriptedServer.Step.receive, .send(ok)], count: 3).flatMap(\.self)]
        try await withServer(scripts) { client, server in
            let header = HTTPHeader("Authorization", "Bearer abc")
            _ = try await client.send(HTTPRequest(.post, server.url, headers: [header], body: [65, 66]))
            _ = try await client.send(HTTPRequest(.delete, server.url + "/x"))
            _ = try await client.send(HTTPRequest(.get, server.url))
            let requests = server.requests.events
            #expect(requests[1].hasPrefix("DELETE /x HTTP/1.1\r\n"))
            #expect(requests[2].hasPrefix("GET / HTTP/1.1\r\n"))
            for request in requests.dropFirst() {
                #expect(!request.contains("Bearer"))
                #expect(!request.lowercased().contains("content-"))
            }
        }
    }

    @Test("an answer without content is complete")
    func noContent() async throws {
        try await withServer([[.receive, .send("HTTP/1.1 204 No Content\r\n\r\n"), .hang]]) { client, server in
            let response = try await client.send(HTTPRequest(.delete, server.url))
            #expect(response.status == 204)
            #expect(response.body == [])
        }
    }

    @Test("redirects are answers, not followed", arguments: [301, 302, 303, 307, 308])
    func redirect(status: Int) async throws {
        try await withServer([[]]) { client, other in
            let location = "HTTP/1.1 \(status) Moved\r\nLocation: \(other.url)/\r\nContent-Length: 0\r\n\r\n"
            let server = ScriptedServer([[.receive, .send(location)]])
            defer { server.stop() }
            let response = try await client.send(HTTPRequest(.get, server.url))
            #expect(response.status == status)
            #expect(response[header: "Location"] == other.url + "/")
            #expect(other.connections.events.isEmpty)
        }
    }

    @Test("an interim answer's headers are not the answer's")
    func interim() async throws {
        let text = "HTTP/1.1 103 Early Hints\r\nX-Test: early\r\n\r\n" + ok
        try await withServer([[.receive, .send(text)]]) { client, server in
            let response = try await client.send(HTTPRequest(.get, server.url))
            #expect(response.status == 200)
            #expect(response[header: "X-Test"] == "yes")
        }
    }

    @Test("asks before it sends, once, when the connection stands")
    func onSend() async throws {
        try await withServer([[.receive, .send(ok)]]) { client, server in
            let asked = NIOLockedValueBox(0)
            let request = HTTPRequest(.get, server.url) {
                asked.withLockedValue { $0 += 1 }
                return true
            }
            try await expectOK(client, request)
            #expect(asked.withLockedValue { $0 } == 1)
        }
    }

    @Test("sends nothing where onSend forbids it")
    func sendRefused() async throws {
        try await withServer([[.receive, .send(ok)], [.receive, .send(ok)]]) { client, server in
            let error = await #expect(throws: HTTPError.self) {
                try await client.send(HTTPRequest(.post, server.url, body: [65], onSend: { false }))
            }
            #expect(error?.code == .sendRefused)
            #expect(error?.wasSent == false)
            try await expectOK(client, HTTPRequest(.get, server.url))
            #expect(server.requests.events.map { $0.prefix(4) } == ["GET "])
        }
    }

    @Test("many requests at once are all answered")
    func concurrency() async throws {
        // Each connection serves them all: where the tasks start slowly, one may have to.
        let script = Array(repeating: [ScriptedServer.Step.receive, .send(ok)], count: 100).flatMap(\.self)
        try await withServer(Array(repeating: script, count: 100)) { client, server in
            let statuses = await withTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask { try? await client.send(HTTPRequest(.get, server.url)).status }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == Array(repeating: 200, count: 100))
        }
    }

    @Test("descriptions hold no secret")
    func secrecy() async throws {
        let request = HTTPRequest(
            .get,
            "https://api.example/path?token=hunter2",
            headers: [HTTPHeader("Authorization", "Bearer hunter2")],
            body: Array("hunter2".utf8)
        )
        #expect("\(request)" == "GET https://api.example/path")
        #expect("\(request.headers)" == "[Authorization]")
        #expect(!String(reflecting: request.headers).contains("hunter2"))
        try await withServer([[.receive, .close]]) { client, server in
            let error = await #expect(throws: HTTPError.self) {
                try await client.send(HTTPRequest(.get, "\(server.url)/hunter2?x=hunter2"))
            }
            #expect(error.map { String(reflecting: $0) }?.contains("hunter2") == false)
        }
    }
}
