import AMQP
import ConsentContract
import ConsentWorker

extension TextTable {
    /// A line each letter.
    init(_ letters: [KeptLetter], at now: Timestamp) {
        self.init(
            titles: ["AGE", "CATEGORY", "STATUS", "TRY", "COMMAND", "ID", "CUSTOMER", "PARTNER", "APPLICATION"],
            rows: letters.map { letter in
                [
                    letter.age(at: now).map { "\(LetterAge($0))" }, Printable.text(letter.category),
                    letter.status.map(String.init), "\(letter.generation + 1)", letter.kind,
                    letter.commandID?.description, letter.customer?.description, letter.partner?.description,
                    letter.application?.description,
                ].map { $0 ?? "-" }
            }
        )
    }
}
