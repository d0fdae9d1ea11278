import AMQP
import ConsentContract
import ConsentWorker

/// The letters of one reading, with what is to be published for those that match, as far as memory is meant for it.
struct HeldLetters {
    /// What is to be done with a letter.
    enum Action {
        /// Publish and confirm, then settle it and those; without a message it is left for the next round.
        case replay(AMQPMessage?, duplicates: [Int])
        /// Nothing of its own: it is settled with the one it duplicates.
        case followDuplicate
        case settle
        case skip(String)
    }

    private enum Content {
        case message(AMQPMessage)
        case refused(ReplayMessage.Refusal)
        case tooMuch
    }

    private(set) var letters: [KeptLetter] = []
    private(set) var deliveries: [AMQPDelivery] = []
    private(set) var matching: [Bool] = []
    private var contents: [Int: Content] = [:]
    private var bytes = 0
    private var known: Int
    private let replayed: [GUID: ReplayPlan.Replayed]

    /// - Parameters:
    ///   - known: how many were there when the replay began and are not replayed; later ones do not match.
    ///   - replayed: those of them that are still there match in any case.
    init(known: Int, replayed: [GUID: ReplayPlan.Replayed]) {
        self.known = known
        self.replayed = replayed
    }

    mutating func add(_ delivery: AMQPDelivery, matching filter: LetterFilter, at now: Timestamp) {
        let letter = KeptLetter(properties: delivery.properties, body: delivery.body)
        let isLeftover = letter.commandID.flatMap { replayed[$0] }?.includes(letter) ?? false
        let matches = isLeftover || known > 0 && filter.matches(letter, at: now)
        if !isLeftover { known -= 1 }
        if matches && !isLeftover { contents[letters.count] = content(delivery) }
        letters.append(letter)
        deliveries.append(delivery.withoutContent)
        matching.append(matches)
    }

    func action(_ step: ReplayPlan.Step) -> Action {
        switch step.fate {
        case .leftover: .settle
        case .skip(let reason): .skip(reason.rawValue)
        case .duplicate(let newest):
            // What it duplicates stays if it cannot be replayed, and so does it.
            if case .refused(let refusal) = contents[newest] { .skip(refusal.description) } else { .followDuplicate }
        case .replay(let duplicates):
            switch contents[step.index] {
            case .message(let message): .replay(message, duplicates: duplicates)
            case .refused(let refusal): .skip(refusal.description)
            case .tooMuch, nil: .replay(nil, duplicates: duplicates)
            }
        }
    }

    private mutating func content(_ delivery: AMQPDelivery) -> Content {
        do throws(ReplayMessage.Refusal) {
            let message = try ReplayMessage.make(delivery.properties, delivery.body)
            guard bytes < LetterQueue.heldBytes else { return .tooMuch }
            bytes += message.body.count + message.properties.headers.approximateBytes
            return .message(message)
        } catch {
            return .refused(error)
        }
    }
}
