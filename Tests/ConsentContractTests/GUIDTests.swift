import ConsentContract
import Testing

@Suite("GUID", .timeLimit(.minutes(1)))
struct GUIDTests {
    @Test("reads any case and writes lower case")
    func format() {
        let text = "0123ABCD-4567-89ab-cDeF-FEDCBA987654"
        #expect(GUID(text)?.description == text.lowercased())
        #expect(GUID(text) == GUID(text.lowercased()))
        for digit in "0123456789abcdef" {
            let text = String("00000000-0000-0000-0000-000000000000".map { $0 == "-" ? $0 : digit })
            #expect(GUID(text)?.description == text)
        }
    }

    @Test(
        "refuses every other form",
        arguments: [
            "", "{0123abcd-4567-89ab-cdef-fedcba987654}", "0123abcd456789abcdeffedcba987654",
            "0123abcd-4567-89ab-cdef-fedcba98765", "0123abcd-4567-89ab-cdef-fedcba9876543",
            "0123abcg-4567-89ab-cdef-fedcba987654", " 0123abcd-4567-89ab-cdef-fedcba98765",
            "0123abcd-4567-89ab-cdef-fedcba98765\n", "0123abcd-4567-89abc-def-fedcba987654",
            "urn:uuid:0123abcd-4567-89ab-cdef-fedcba987654", "0123abcd+4567-89ab-cdef-fedcba987654",
            "０123abcd-4567-89ab-cdef-fedcba9876", "0123abc\u{0}-4567-89ab-cdef-fedcba987654",
        ]
    )
    func refused(text: String) {
        #expect(GUID(text) == nil)
    }

    @Test(
        "derives version 5 as RFC 9562 and Python's uuid do",
        arguments: [
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
            ("6ba7b811-9dad-11d1-80b4-00c04fd430c8", "urn:consent-worker", "853b5deb-908a-543e-8a6b-f0654dff22ff"),
            ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "", "4ebd0208-8328-5d69-8c44-ec50939c0967"),
            ("ffffffff-ffff-ffff-ffff-ffffffffffff", "é😀", "348eda59-537d-57b8-bbe6-81ac33d0f517"),
        ]
    )
    func derived(namespace: String, name: String, expected: String) {
        #expect(GUID(namespace)?.derived(from: name.utf8).description == expected)
    }

    @Test("random ones are of version 4 and differ")
    func random() {
        let texts = (0..<1000).map { _ in GUID.random().description }
        #expect(Set(texts).count == 1000)
        for text in texts {
            let characters = Array(text)
            #expect(characters[14] == "4")
            #expect("89ab".contains(characters[19]))
        }
    }

    @Test("IDs of events and requests never change: they are what makes a redelivery harmless")
    func identifiers() {
        let command = GUID(constant: "7d0f9d2e-1111-4222-8333-444455556666")
        #expect(Identifiers.namespace.description == "853b5deb-908a-543e-8a6b-f0654dff22ff")
        #expect(
            Identifiers.event(command: command, generation: 0).description == "4b1d81e1-fd2f-5c77-813a-20275d478162"
        )
        #expect(
            Identifiers.event(command: command, generation: 1).description == "70651f6f-9452-5717-a414-e12f757ec21d"
        )
        #expect(
            Identifiers.request(command: command, generation: 0, step: "grant", number: 0).description
                == "b96ba58a-be77-5629-bc8b-9a01fe257d68"
        )
        #expect(
            Identifiers.request(command: command, generation: 2, step: "list", number: 11).description
                == "1dd9ec0d-6b33-5e76-a811-918127dd8c3a"
        )
        #expect(
            Identifiers.event(body: [0xFF, 0x00], correlationID: "a/b").description
                == "41a36c15-4d48-541f-b786-b48aa9ac14f3"
        )
        #expect(
            Identifiers.event(body: [0xFF, 0x00], correlationID: nil).description
                == "27de2bf5-ab86-5d29-95b7-583dcc853fb4"
        )
        #expect(Identifiers.correlation("order 4711").description == "37c310dd-6d2f-5b2d-af42-85173d8cf434")
    }

    @Test("a correlation ID that is a GUID is used as it is")
    func correlation() {
        let text = "7D0F9D2E-1111-4222-8333-444455556666"
        #expect(Identifiers.correlation(text).description == text.lowercased())
    }

    @Test("a command given in upper case has the same IDs")
    func caseOfCommand() throws {
        let lower = try #require(GUID("7d0f9d2e-1111-4222-8333-44445555abcd"))
        let upper = try #require(GUID("7D0F9D2E-1111-4222-8333-44445555ABCD"))
        #expect(
            Identifiers.event(command: lower, generation: 0) == Identifiers.event(command: upper, generation: 0)
        )
    }
}
