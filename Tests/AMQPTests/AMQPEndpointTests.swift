import Secrets
import Testing

@testable import AMQP

@Suite("AMQP endpoint", .timeLimit(.minutes(1)))
struct AMQPEndpointTests {
    struct Parts: Sendable, Equatable {
        var host = "h"
        var port = 5672
        var vhost = "/"
        var user = "guest"
        var password = "guest"
        var tls = false
    }

    @Test(
        "reads every part of an address, and takes the broker's defaults for the rest",
        arguments: [
            ("amqp://h", Parts()), ("amqp://h/", Parts()), ("amqps://h", Parts(port: 5671, tls: true)),
            ("amqp://h:1234", Parts(port: 1234)), ("amqp://h/%2f", Parts()), ("amqp://h/%2F", Parts()),
            ("amqp://h/v", Parts(vhost: "v")), ("amqp://h/a%2Fb", Parts(vhost: "a/b")),
            ("amqp://h/a/b", Parts(vhost: "a/b")), ("amqp://u:p@h", Parts(user: "u", password: "p")),
            ("amqp://u@h", Parts(user: "u", password: "")), ("amqp://u:@h", Parts(user: "u", password: "")),
            ("amqp://u:p:q@h", Parts(user: "u", password: "p:q")),
            ("amqp://u%40x:p%3a%2F%25@h:1", Parts(port: 1, user: "u@x", password: "p:/%")),
            ("amqp://u:p@x@h", Parts(user: "u", password: "p@x")),
            ("amqp://u:%C3%A9@h", Parts(user: "u", password: "é")), ("amqp://[::1]", Parts(host: "::1")),
            (
                "amqps://u:p@[fe80::1]:5/v",
                Parts(host: "fe80::1", port: 5, vhost: "v", user: "u", password: "p", tls: true)
            ),
        ]
    )
    func parsed(uri: String, parts: Parts) throws {
        let endpoint = try AMQPEndpoint(uri: uri)
        let found = Parts(
            host: endpoint.host,
            port: endpoint.port,
            vhost: endpoint.virtualHost,
            user: endpoint.user,
            password: endpoint.password.reveal(),
            tls: endpoint.usesTLS
        )
        #expect(found == parts)
    }

    @Test("the broker does not get the password into what is printed")
    func hidden() throws {
        let words = "login of user with 'hunter2' failed: hunter2"
        let endpoint = try AMQPEndpoint(uri: "amqp://user:hunter2@h")
        #expect(endpoint.withoutPassword(words) == "login of user with '(hidden)' failed: (hidden)")
        #expect(try AMQPEndpoint(uri: "amqp://user:@h").withoutPassword(words) == words)
        // RabbitMQ's own user: its name is in many texts, and its password is no secret.
        #expect(try AMQPEndpoint(uri: "amqp://guest:guest@h").withoutPassword("user guest") == "user guest")
    }

    @Test(
        "refuses what is no address and does not repeat it",
        arguments: [
            "", "hunter2", "http://u:hunter2@h", "AMQP://u:hunter2@h", "amqp:/u:hunter2@h", "amqp://u:hunter2@",
            "amqp://u:hunter2@h:0", "amqp://u:hunter2@h:65536", "amqp://u:hunter2@h:-1", "amqp://u:hunter2@h:x",
            "amqp://u:hunter2@h:", "amqp://u:hunter2%@h", "amqp://u:hunter2%4@h", "amqp://u:hunter2%zz@h",
            "amqp://u:hunter2%ff@h", "amqp://u:hunter2%+1@h", "amqp://u:hunter2@h/%", "amqp://u:hunter2@h/%ff",
            "amqp://u:hunter2@h?heartbeat=1", "amqp://u:hunter2@h/v#x", "amqp://u:hunter2@[::1",
            "amqp://u:hunter2@[::1]x",
            "amqp://u:hunter2@[]", "amqp://u:hunter2@::1", "amqp://:hunter2@:5672", " amqp://u:hunter2@h",
        ]
    )
    func refused(uri: String) {
        let error = #expect(throws: AMQPError.self) { try AMQPEndpoint(uri: uri) }
        guard let error else { return }
        #expect(error.code == .invalidConfiguration)
        for text in printed(error) { #expect(!text.contains("hunter2")) }
    }

    private func printed(_ value: Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        return [
            "\(value)", String(describing: value), String(reflecting: value), dumped,
            "\(Mirror(reflecting: value).children.map(\.value))",
        ]
    }

    @Test("cannot be printed with its credentials in any way")
    func secrecy() throws {
        let endpoint = try AMQPEndpoint(uri: "amqp://operator:hunter2@broker.example/v")
        var texts =
            printed(endpoint) + printed([endpoint]) + printed(["k": endpoint]) + printed(Optional(endpoint) as Any)
        texts += printed((endpoint, 1))
        for text in texts {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("operator"))
        }
        #expect("\(endpoint)" == "broker.example:5672")
    }

    @Test(
        "knows what stays on this machine",
        arguments: [
            ("localhost", true), ("127.0.0.1", true), ("127.9.9.9", true), ("[::1]", true),
            ("127.0.0.1.evil.example", false),
            ("127.evil.example", false), ("localhost.evil.example", false), ("broker", false), ("128.0.0.1", false),
            ("127.0.0.999", false), ("u:p@10.0.0.1", false), ("localhost@10.0.0.1", false),
        ]
    )
    func loopback(authority: String, expected: Bool) throws {
        #expect(try AMQPEndpoint(uri: "amqp://\(authority)").isLoopback == expected)
    }
}
