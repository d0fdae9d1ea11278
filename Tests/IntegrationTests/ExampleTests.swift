import ConsentContract
import Foundation
import JSON
import Testing

extension IntegrationTests {
    /// The README's programs, run as they are written there.
    @Suite(.timeLimit(.minutes(5)))
    struct ExampleTests {
        @Test func theReadmesTableOfCategoriesIsTheCodes() throws {
            let readme = try String(contentsOfFile: "\(Checkout.root)/README.md", encoding: .utf8)
            for category in ErrorCategory.allCases {
                let row = readme.split(separator: "\n").first { $0.hasPrefix("| `\(category.rawValue)` | ") }
                let cells = try #require(row, "\(category)").split(separator: "|").map {
                    $0.trimmingCharacters(in: .whitespaces)
                }
                #expect(cells[1] == category.outcome.rawValue)
                #expect(cells[3] == category.fixableBy.rawValue, "\(category)")
                #expect(cells[4] == (category.isRetryable ? "yes" : "no"), "\(category)")
                #expect(cells[5].replacingOccurrences(of: "`", with: "") == category.remedy, "\(category)")
            }
        }

        @Test func thePythonExampleOfTheReadmePublishesAndReceivesItsEvent() async throws {
            let readme = try String(contentsOfFile: "\(Checkout.root)/README.md", encoding: .utf8)
            let marked = try #require(readme.components(separatedBy: "<!-- example:pika -->\n```python\n").last)
            let program = try #require(marked.components(separatedBy: "\n```\n").first)
            try await Scene.run { scene in
                try scene.configure()
                try await scene.withWorker { _ in
                    let file = "\(scene.folder)/example.py"
                    try program.write(toFile: file, atomically: true, encoding: .utf8)
                    let arguments = [file, "\(scene.partner)", Platform.customer(1), "\(scene.application)"]
                    let environment = ["CONSENT_AMQP_URL": scene.broker.url]
                    let granted = try await ChildProcess.run("/usr/bin/python3", arguments, environment: environment)
                    #expect(granted.status == 0, "\(granted)")
                    #expect(granted.output.contains("granted"))
                    #expect(try await scene.simulator.isConsented(Platform.customer(1), "\(scene.application)"))

                    try await scene.simulator.inject(["match": ["kind": "grant"], "action": ["refusal": "forbidden"]])
                    let refused = try await ChildProcess.run("/usr/bin/python3", arguments, environment: environment)
                    #expect(refused.status == 1, "\(refused)")
                }
                try await Platform.run(scene) { platform in _ = try await platform.takeDeadLetters() }
            }
        }
    }
}
