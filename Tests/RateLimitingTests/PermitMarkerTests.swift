import RateLimiting
import Testing

@Suite("Permit marker")
struct PermitMarkerTests {
    private let fifty = PermitTerms(requests: 50, restMilliseconds: 1030, strict: false)
    private let forty = PermitTerms(requests: 40, restMilliseconds: 1030, strict: false)

    @Test("what is written is what is read")
    func roundTrip() {
        let marker = PermitMarker(terms: fifty, version: 1_795_000_000_000, epoch: "e1")
        #expect(PermitMarker(marker.bytes) == marker)
        #expect(
            String(decoding: marker.bytes, as: UTF8.self)
                == #"{"requests":50,"restMs":1030,"strict":false,"version":1795000000000,"epoch":"e1"}"#
        )
    }

    @Test(
        "what is no marker is none",
        arguments: [
            "", "x", "{}", "[]", #"{"requests":0,"restMs":1,"strict":false,"version":1,"epoch":"e"}"#,
            #"{"requests":1,"restMs":0,"strict":false,"version":1,"epoch":"e"}"#,
            #"{"requests":1,"restMs":1,"strict":0,"version":1,"epoch":"e"}"#,
            #"{"requests":1,"restMs":1,"strict":true,"version":1}"#,
        ]
    )
    func malformed(text: String) {
        #expect(PermitMarker(Array(text.utf8)) == nil)
    }

    @Test("binds who has the same terms, and who has others of no later configuration")
    func binds() {
        let marker = PermitMarker(terms: fifty, version: 7, epoch: "e")
        #expect(marker.binds(fifty, version: 6) && marker.binds(fifty, version: 7) && marker.binds(fifty, version: 8))
        #expect(marker.binds(forty, version: 6) && marker.binds(forty, version: 7))
        #expect(!marker.binds(forty, version: 8))
        var strict = fifty
        strict.strict = true
        #expect(!marker.binds(strict, version: 8))
    }

    @Test("a permit names its epoch, whatever that is made of")
    func permit() {
        for epoch in ["e1", "a/b", "ü", ""] {
            let marker = PermitMarker(terms: fifty, version: 1, epoch: epoch)
            #expect(PermitMarker.epoch(ofPermit: marker.permit(7)) == epoch)
        }
        #expect(PermitMarker.epoch(ofPermit: []) == nil)
        #expect(PermitMarker.epoch(ofPermit: Array("e1".utf8)) == nil)
        #expect(PermitMarker.epoch(ofPermit: [0xFF, 0x2F]) == nil)
    }

    @Test("rests are whole milliseconds, never fewer than the limit asks for")
    func rounding() {
        let limit = RateLimit(requests: 1, per: .seconds(1), margin: .microseconds(30_001))
        #expect(PermitTerms(limit, strict: false).restMilliseconds == 1031)
        #expect(PermitTerms(RateLimit(requests: 1), strict: false).restMilliseconds == 1030)
    }

    @Test("a pod holds few permits, but in strict mode one for each request under way")
    func prefetch() {
        func terms(_ requests: Int, strict: Bool) -> PermitTerms {
            PermitTerms(requests: requests, restMilliseconds: 1000, strict: strict)
        }
        #expect(terms(1, strict: false).prefetch(maxHeld: 100) == 1)
        #expect(terms(50, strict: false).prefetch(maxHeld: 100) == 1)
        #expect(terms(51, strict: false).prefetch(maxHeld: 100) == 2)
        #expect(terms(3000, strict: false).prefetch(maxHeld: 100) == 60)
        #expect(terms(50, strict: true).prefetch(maxHeld: 10) == 10)
        #expect(terms(50, strict: true).prefetch(maxHeld: 100) == 50)
        #expect(terms(50, strict: true).prefetch(maxHeld: 0) == 1)
    }
}
