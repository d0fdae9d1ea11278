import Testing

@testable import consent_worker

@Suite struct CSVReaderTests {
    private func cells(_ text: String) -> [[String]] { CSVReader.read(Array(text.utf8)).records.map(\.cells) }

    private func faults(_ text: String) -> [LineFault] { CSVReader.read(Array(text.utf8)).faults }

    @Test func linesMayEndInAnyWay() {
        for end in ["\n", "\r\n", "\r"] {
            let records = CSVReader.read(Array("a,b\(end)1,2\(end)\(end)3,4".utf8)).records
            #expect(records.map(\.cells) == [["a", "b"], ["1", "2"], ["3", "4"]])
            // The blank line counts, but is no record.
            #expect(records.map(\.line) == [1, 2, 4])
        }
        #expect(cells("a\n1\n") == [["a"], ["1"]])
        #expect(cells("").isEmpty && cells("\n\r\n").isEmpty)
    }

    @Test func emptyCellsAreKept() {
        #expect(cells("a,b,c\n,,\n\"\",x,\n") == [["a", "b", "c"], ["", "", ""], ["", "x", ""]])
    }

    @Test func quotedCellsHoldSeparatorsQuotesAndLineEnds() {
        let records = CSVReader.read(Array("a,b\n\"1,\"\"one\"\"\",\"x\r\ny\nz\"\n2,3".utf8)).records
        #expect(records.map(\.cells) == [["a", "b"], ["1,\"one\"", "x\r\ny\nz"], ["2", "3"]])
        #expect(records.map(\.line) == [1, 2, 5])
    }

    @Test func theFirstLineTellsTheSeparator() {
        #expect(cells("a;b\n1;x,y") == [["a", "b"], ["1", "x,y"]])
        #expect(cells("a\tb\n1\tx;y") == [["a", "b"], ["1", "x;y"]])
        #expect(cells("\"a;b\",c\n1;2,3") == [["a;b", "c"], ["1;2", "3"]])
        #expect(cells("a\n1,2\n") == [["a"], ["1", "2"]])
    }

    @Test func whatCannotBeReadIsNamedByItsLineAndTheRestIsRead() {
        #expect(
            faults("a,b\n1,x\"y\n\"1\" ,2\n") == [
                LineFault(line: 2, reason: "has a quote inside a cell that does not begin with one"),
                LineFault(line: 3, reason: "has text behind a closing quote"),
            ]
        )
        #expect(cells("a,b\n1,x\"y\n3,4") == [["a", "b"], ["3", "4"]])
        for text in ["a,b\n1,2\n\"3,4\n5,6", "a\n1\n\"", "a\n1\n\"\"\""] {
            #expect(faults(text) == [LineFault(line: 3, reason: "has a quote that is never closed")], "\(text)")
        }
        let latin1 = CSVReader.read(Array("a\n".utf8) + [0x4D, 0xFC, 0x0A] + Array("b\n".utf8))
        #expect(latin1.faults.map(\.line) == [2] && latin1.records.map(\.cells) == [["a"], ["b"]])
    }
}
