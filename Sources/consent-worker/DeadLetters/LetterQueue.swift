import AMQP
import ArgumentParser
import ConsentWorker

/// What the commands have in common in reading the queue.
enum LetterQueue {
    /// The content of letters that is held at a time, in bytes; each letter's summary comes on top.
    static let heldBytes = 64 << 20

    static func say(nothingMatches waiting: Int) {
        Terminal.complain(waiting == 0 ? "there are no dead letters" : "no dead letter matches; \(waiting) are kept")
    }

    /// Reads and gives back at once. Another reader is no hindrance, but is told of.
    static func look(_ connection: AMQPConnection, _ take: (AMQPDelivery) -> Void) async throws -> LetterReading {
        if try await LetterReading.status(connection).consumers > 0 {
            Terminal.complain("somebody else reads the dead letters now; those in their hands are not shown")
        }
        let reading = try await LetterReading.read(connection, take)
        await reading.leave()
        return reading
    }

    /// Returns when nobody else reads the queue, so that every letter of a command is seen.
    /// - Throws: an exit code if that does not come about soon.
    static func waitForOthers(_ connection: AMQPConnection) async throws {
        // The broker may not have noticed yet that the one before is gone.
        if try await LetterReading.wait(untilReaders: 0, connection) { return }
        Terminal.complain("somebody else reads the dead letters now; try again when they have finished")
        throw ExitCode.timedOut
    }
}
