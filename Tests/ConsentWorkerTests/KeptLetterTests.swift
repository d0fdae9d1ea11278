import AMQP
import ConsentContract
import JSON
import Testing

@testable import ConsentWorker

/// What a letter is found by and what of it is shown.
struct KeptLetterTests {
    private typealias Fixtures = LetterFixtures

    private func matches(_ letter: KeptLetter, _ change: (inout LetterFilter) -> Void) -> Bool {
        var filter = LetterFilter()
        change(&filter)
        return filter.matches(letter, at: Fixtures.now)
    }

    @Test func whatTheHeadersSayIsBelievedAndElseTheBody() {
        let other = GUID.random()
        let headers: AMQPTable = ["consent-command-id": .string(other.description), "consent-command": "grant"]
        let written = KeptLetter(
            properties: Fixtures.properties(headers: headers),
            body: .complete(Fixtures.command(.random()))
        )
        #expect(written.commandID == other && written.kind == "grant" && written.partner == nil)
        let id = GUID.random()
        let read = KeptLetter(properties: Fixtures.properties(), body: .complete(Fixtures.command(id)))
        #expect(read.commandID == id && read.kind == "revoke" && read.partner == Fixtures.partner)
        #expect(read.customer == Fixtures.customer && read.application == Fixtures.application)
        #expect(Fixtures.unreadable.commandID == nil)
    }

    @Test func everyPartOfAFilterMustFit() {
        let letter = Fixtures.letter()
        #expect(matches(letter) { _ in })
        #expect(matches(letter) { $0.categories = ["conflict", "apiUnavailable"] })
        #expect(!matches(letter) { $0.categories = ["conflict"] })
        #expect(matches(letter) { $0.partner = Fixtures.partner })
        #expect(!matches(letter) { $0.partner = Fixtures.customer })
        #expect(!matches(letter) { $0.customer = Fixtures.partner })
        #expect(!matches(letter) { $0.application = Fixtures.partner })
        #expect(matches(letter) { $0.commandID = letter.commandID })
        #expect(!matches(Fixtures.unreadable) { $0.commandID = letter.commandID })
    }

    @Test func ageIsTakenFromTheTimeThatTheWorkerWrote() {
        let letter = Fixtures.letter(age: .seconds(3600))
        #expect(matches(letter) { $0.olderThan = .seconds(3600) })
        #expect(!matches(letter) { $0.olderThan = .seconds(3601) })
        #expect(matches(letter) { $0.newerThan = .seconds(3600) })
        #expect(!matches(letter) { $0.newerThan = .seconds(3599) })
        let strange = KeptLetter(properties: AMQPProperties(), body: .complete([]))
        #expect(strange.category == "unknown" && strange.time == nil)
        #expect(!matches(strange) { $0.olderThan = .zero } && !matches(strange) { $0.newerThan = .seconds(1) })
        #expect(matches(strange) { _ in })
    }

    @Test(arguments: [("90s", 90), ("15m", 900), ("2h", 7200), ("7d", 604_800), ("0s", 0)])
    func agesAreReadAsPeopleWriteThem(text: String, seconds: Int) {
        #expect(LetterAge(text)?.duration == .seconds(seconds))
    }

    @Test(arguments: ["", "h", "2", "-1h", "1.5h", "2 h", "2w", "h2", "99999999999d"])
    func anythingElseIsNoAge(text: String) {
        #expect(LetterAge(text) == nil)
    }

    @Test func anAgeIsShownInItsLargestUnit() {
        let shown = [0, 59, 60, 7199, 86_399, 172_800].map { "\(LetterAge(.seconds($0)))" }
        #expect(shown == ["0s", "59s", "1m", "1h", "23h", "2d"])
        #expect("\(LetterAge(.seconds(-5)))" == "0s")
    }

    @Test func whatIsShownHasTheErrorAndNoSecret() {
        let headers: AMQPTable = [
            "X-Api-Key": "s3cret", "authorization": "Bearer s3cret", "note": "a\u{1B}[2Jb", "consent-status": 503,
            "consent-message": "no answer", "nested": .table(["refresh_token": "s3cret", "plain": .array([1, true])]),
        ]
        let body: JSONValue = ["clientSecret": "s3cret", "list": [["accessToken": "s3cret", "scope": "User.Read"]]]
        let details = LetterDetails(
            properties: Fixtures.properties(headers: headers),
            body: .complete(body.bytes)
        )
        for text in [details.text, details.json.text] {
            #expect(!text.contains("s3cret") && text.contains("(hidden)"), "\(text)")
            #expect(text.contains("User.Read") && text.contains("no answer"), "\(text)")
            #expect(text.contains(ErrorCategory.apiUnavailable.remedy))
        }
        #expect(!details.text.contains("\u{1B}"))
        #expect(details.json["error"]?["status"] == 503 && details.json["headers"]?["nested"]?["plain"] == [1, true])
    }

    @Test func aBodyThatIsNoJSONIsShownAsText() {
        func shown(_ body: AMQPDelivery.Body) -> JSONValue? {
            LetterDetails(properties: Fixtures.properties(), body: body).json["body"]
        }
        #expect(shown(.complete(Array("{\"".utf8))) == "{\"")
        #expect(shown(.complete([])) == .null && shown(.tooLarge(bytes: 5_000_000)) == .null)
    }
}
