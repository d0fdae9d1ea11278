import ConsentContract
import JSON
import Testing

@testable import consent_worker

@Suite struct ResultFileTests {
    @Test func whatIsRecordedIsReadAgainAndEndsUpInTheInputsOrder() throws {
        try Samples.withFile { path in
            do {
                var results = try ResultFile(path)
                results.record(Samples.event("succeeded"), line: 9)
                try results.save()
                results.record(Samples.event("failed", effect: "none", category: "conflict"), line: 2)
                try results.save()
                #expect(results.notSucceeded == 1)
            }
            var results = try ResultFile(path)
            #expect(results.entries.keys.sorted() == [2, 9] && results.notSucceeded == 1)
            results.record(Samples.event("expired", effect: "none", category: "deadlineExceeded"), line: 5)
            try results.finish()
            let lines = try Samples.lines(path).map { try JSONParser.parse(Array($0.utf8)) }
            #expect(lines.map { $0["line"]?.int } == [2, 5, 9])
            #expect(lines[0]["error"]?["category"] == "conflict" && lines[0]["contract"] == nil)
        }
    }

    @Test func aCommandHasOneLineAndSuccessIsTheTruth() throws {
        try Samples.withFile { path in
            do {
                var results = try ResultFile(path)
                results.record(Samples.event("failed", effect: "unknown", category: "requestTimedOut"), line: 2)
                try results.save()
                results.record(Samples.event("succeeded", effect: "granted"), line: 2)
                results.record(Samples.event("failed", category: "conflict"), line: 2)
                results.record(Samples.event("succeeded", effect: "alreadyGranted"), line: 2)
                #expect(results.notSucceeded == 0 && results.entries[2]?.effect == "granted")
                try results.save()
            }
            #expect(try Samples.lines(path).count == 2)
            var results = try ResultFile(path)
            #expect(results.notSucceeded == 0 && results.entries[2]?.effect == "granted")
            try results.finish()
            let lines = try Samples.lines(path)
            #expect(lines.count == 1 && lines[0].contains("granted") && !lines[0].contains("requestTimedOut"))
        }
    }

    @Test func aTornLastLineIsCutOff() throws {
        try Samples.withFile { path in
            try Samples.write("{\"line\":2,\"outcome\":\"succeeded\"}\n{\"line\":3,\"outc", path)
            do {
                var results = try ResultFile(path)
                #expect(results.entries.keys.sorted() == [2])
                results.record(Samples.event("succeeded"), line: 4)
                try results.save()
            }
            #expect(try ResultFile(path).entries.keys.sorted() == [2, 4])
        }
    }

    @Test func anotherFileIsNotTakenForResults() throws {
        try Samples.withFile { path in
            try Samples.write("customerId,name\n", path)
            #expect(throws: BulkFailure.self) { try ResultFile(path) }
            #expect(try Samples.lines(path) == ["customerId,name"])
        }
    }

    @Test func pagesGoIntoAFileOfTheirOwn() throws {
        try Samples.withFile { path in
            var results = try ResultFile(path)
            try results.recordPage(Samples.event(nil, items: [["id": "1"]]), line: 2)
            results.record(Samples.event("succeeded", effect: "read"), line: 2)
            try results.finish()
            #expect(try Samples.lines(path).count == 1)
            #expect(try Samples.lines("\(path).pages")[0].contains(#""items":[{"id":"1"}]"#))
            try ResultFile(path).removePages()
            #expect(!LineFile.exists("\(path).pages") && LineFile.exists(path))
        }
    }

    @Test func aFileIsOpenInOneProcessAtATime() throws {
        try Samples.withFile { path in
            let first = try LineFile(path)
            #expect(throws: BulkFailure.self) { try LineFile(path) }
            try first.append(Array("1\n".utf8))
        }
    }

    @Test func longLinesAndManyLinesAreReadWhole() throws {
        try Samples.withFile { path in
            let long = String(repeating: "x", count: 3 << 20)
            try Samples.write("short\n\(long)\nlast\n", path)
            var lines: [Int] = []
            let file = try LineFile(path)
            try file.readLines { line, place in
                let again = try file.read(place)
                #expect(again == line)
                lines.append(line.count)
            }
            #expect(lines == [5, 3 << 20, 4] && file.size == 12 + 3 << 20)
        }
    }

    @Test func theSummaryCountsByOutcomeAndCategory() throws {
        try Samples.withFile { path in
            var results = try ResultFile(path)
            for line in 1...11 {
                results.record(Samples.event("succeeded", effect: line == 1 ? "alreadyGranted" : "granted"), line: line)
            }
            results.record(Samples.event("failed", effect: "none", category: "conflict"), line: 12)
            let tally = BulkTally(results.entries.values, of: 14, underWay: 1)
            #expect(
                tally.text(results: "r.jsonl") == """
                    12 of 14 commands have their result, in r.jsonl:
                      11 succeeded: 10 granted, 1 alreadyGranted
                       1 failed
                         1 conflict (partner): Do.
                    """
            )
            let json = tally.json(results: "r.jsonl", isInterrupted: true)
            #expect(json["outcomes"]?["succeeded"] == 11 && json["errors"]?.array?[0]["category"] == "conflict")
            #expect(json["underWay"] == 1 && json["ended"] == 12 && json["interrupted"] == true)
        }
    }
}

@Suite struct BulkJournalTests {
    @Test func anInterruptedRunGoesOnAsItself() throws {
        try Samples.withFile { path in
            #expect(try BulkJournal(path, fingerprint: Samples.application) == nil)
            do {
                let job = Samples.otherApplication
                var journal = try BulkJournal(beginning: job, fingerprint: Samples.application, at: path)
                for line in [2, 7, 4] { try journal.add(line) }
            }
            let journal = try #require(try BulkJournal(path, fingerprint: Samples.application))
            #expect(journal.job == Samples.otherApplication && journal.published == [2, 4, 7])
            journal.remove()
            #expect(try BulkJournal(path, fingerprint: Samples.application) == nil)
        }
    }

    @Test func anotherInputIsRefused() throws {
        try Samples.withFile { path in
            _ = try BulkJournal(beginning: .random(), fingerprint: Samples.application, at: path)
            #expect(throws: BulkFailure.self) { try BulkJournal(path, fingerprint: Samples.otherApplication) }
            try Samples.write("customerId\n", path)
            #expect(throws: BulkFailure.self) { try BulkJournal(path, fingerprint: Samples.application) }
        }
    }

    @Test func aTornHeaderMeansThatNothingWasPublished() throws {
        try Samples.withFile { path in
            try Samples.write(#"{"job": "1111"#, path)
            #expect(try BulkJournal(path, fingerprint: Samples.application) == nil)
        }
    }

    @Test func whatIsForgottenIsNotPublishedAndATornNumberCountsNothing() throws {
        try Samples.withFile { path in
            do {
                var journal = try BulkJournal(beginning: .random(), fingerprint: Samples.application, at: path)
                try journal.add(2)
                try journal.forgetPublished()
                try journal.add(31)
            }
            let text = try Samples.lines(path).joined(separator: "\n") + "\n4"
            try Samples.write(text, path)
            #expect(try BulkJournal(path, fingerprint: Samples.application)?.published == [31])
        }
    }
}
