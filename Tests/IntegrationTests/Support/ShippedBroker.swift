import AMQP
import Foundation
import JSON

/// A broker as `deploy/rabbitmq` sets it up: the topology of one application and the four users.
struct ShippedBroker {
    enum User: String, CaseIterable {
        case worker = "consent-worker"
        case publisher = "consent-publisher"
        case events = "consent-events"
        case `operator` = "consent-operator"
    }

    /// The application that the files are for.
    static let application = "11111111-1111-4111-8111-111111111111"
    private static let folder = "\(Checkout.root)/deploy/rabbitmq"

    let broker: PrivateBroker

    static var topology: JSONValue {
        get throws { try JSONParser.parse(Array(Data(contentsOf: URL(filePath: "\(folder)/topology.json")))) }
    }

    /// Runs `body` with a broker of its own.
    static func run(_ body: (ShippedBroker) async throws -> Void) async throws {
        let broker = try await PrivateBroker()
        do {
            for file in ["topology.json", "users.json"] {
                try await broker.ctl("import_definitions", "\(folder)/\(file)")
            }
            try await body(ShippedBroker(broker: broker))
        } catch {
            try await broker.remove()
            throw error
        }
        try await broker.remove()
    }

    /// As an operator does after the import.
    func setPasswords() async throws {
        for user in User.allCases { try await broker.ctl("change_password", user.rawValue, password(of: user)) }
    }

    func password(of user: User) -> String { "password-of-\(user.rawValue)" }

    func url(of user: User) -> String {
        "amqp://\(user.rawValue):\(password(of: user))@127.0.0.1:\(broker.port)/%2f"
    }

    /// The command line as this user.
    func commandLine(_ scene: Scene, as user: User, _ arguments: [String]) async throws -> ChildProcess.Result {
        let result = try await ChildProcess.run(
            "\(Checkout.binaries)/consent-worker",
            arguments + ["--config", scene.configurationFile],
            environment: ["CONSENT_AMQP_URL": url(of: user)]
        )
        scene.emit(result.output, result.errors)
        return result
    }

    /// Whether the broker refuses what this user tries.
    func refuses(_ user: User, _ attempt: (AMQPChannel) async throws -> Void) async throws -> Bool {
        try await broker.connect(to: url(of: user)) { connection in
            let channel = try await connection.openChannel()
            try await channel.selectConfirms()
            do {
                try await attempt(channel)
                return false
            } catch let error as AMQPError {
                guard error.replyCode == AMQPReplyCode.accessRefused else { throw error }
                return true
            }
        }
    }
}
