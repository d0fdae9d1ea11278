import AMQP
import ConsentWorker

/// How many dead letters there are of each category. They are held for a moment to be looked at.
enum DeadLetterCategories {
    /// More take too long for a glance; `dead-letters list` reads them.
    private static let most = 10_000

    /// - Returns: nil where there are too many, or somebody else works on them.
    static func count(_ waiting: Int, on connection: AMQPConnection) async throws -> [String: Int]? {
        guard waiting > 0 else { return [:] }
        guard waiting <= most, try await LetterReading.status(connection).consumers == 0 else { return nil }
        var counts: [String: Int] = [:]
        let reading = try await LetterReading.read(connection) { delivery in
            counts[KeptLetter(properties: delivery.properties, body: delivery.body).category, default: 0] += 1
        }
        await reading.leave()
        return counts
    }
}
