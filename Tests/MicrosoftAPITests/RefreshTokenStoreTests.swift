import ConsentContract
import Foundation
import MicrosoftAPI
import Secrets
import Testing

@Suite("Refresh token store", .timeLimit(.minutes(1)))
struct RefreshTokenStoreTests {
    private let new = RefreshTokenStore.Entry(
        token: Secret("new"),
        obtainedAt: Timestamp(milliseconds: 4_102_444_800_000)
    )
    private let partner = GUID(constant: "5d0c7a3e-9b41-4f26-8e57-c21b6f0d9a84")

    /// A folder of this test's own, gone after it.
    private func withDirectory(_ body: (String, RefreshTokenStore) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tokens-\(UUID().uuidString)").path()
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer {
            chmod(directory, 0o700)
            try? FileManager.default.removeItem(atPath: directory)
        }
        try body(directory, RefreshTokenStore(directory: directory))
    }

    private func write(_ text: String, _ directory: String) throws {
        try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(partner)"))
    }

    @Test(
        "reads both forms of a file",
        arguments: [
            "1.AXoA-token_x.y", "1.AXoA-token_x.y\n", "  1.AXoA-token_x.y \r\n",
            #"{"refreshToken":"1.AXoA-token_x.y"}"#,
            "{\n \"obtainedAt\": \"2026-12-01T09:00:00Z\", \"refreshToken\": \"1.AXoA-token_x.y\", \"more\": 1 }\n",
        ]
    )
    func forms(text: String) throws {
        try withDirectory { directory, store in
            try write(text, directory)
            #expect(store.entry(of: partner)?.token.reveal() == "1.AXoA-token_x.y")
        }
    }

    @Test("a file that holds no token is none", arguments: ["", "\n", " \t", #"{"refreshToken":""}"#])
    func empty(text: String) throws {
        try withDirectory { directory, store in
            try write(text, directory)
            #expect(store.entry(of: partner) == nil)
        }
    }

    @Test(
        "JSON without a token in it is not taken for a token",
        arguments: [
            "{}", #"{"refresh_token":"x"}"#, #"{"refreshToken":5}"#, #"{"refreshToken":null}"#, "[]",
            #"{"refreshToken":"x""#,
        ]
    )
    func foreignJSON(text: String) throws {
        try withDirectory { directory, store in
            try write(text, directory)
            #expect(store.entry(of: partner) == nil)
        }
    }

    @Test("no file, no folder and a folder for a file are no token")
    func missing() throws {
        try withDirectory { directory, store in
            #expect(store.entry(of: partner) == nil)
            #expect(RefreshTokenStore(directory: directory + "/none").entry(of: partner) == nil)
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(partner)",
                withIntermediateDirectories: false
            )
            #expect(store.entry(of: partner) == nil)
        }
    }

    @Test("what is larger than any token is none")
    func large() throws {
        try withDirectory { directory, store in
            try write(String(repeating: "x", count: 1 << 16), directory)
            #expect(store.entry(of: partner) == nil)
        }
    }

    @Test("replaces a token in one step, readable by its owner only, and leaves nothing else behind")
    func replace() throws {
        try withDirectory { directory, store in
            try write("old", directory)
            let path = "\(directory)/\(partner)"
            // A reader that has the old file open keeps reading the old token.
            let reader = try #require(FileHandle(forReadingAtPath: path))
            try store.store(new, of: partner)
            #expect(store.entry(of: partner)?.token.reveal() == "new")
            #expect(String(decoding: reader.readDataToEndOfFile(), as: UTF8.self) == "old")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [partner.description])
            let text = try String(contentsOfFile: path, encoding: .utf8)
            #expect(text == #"{"refreshToken":"new","obtainedAt":"2100-01-01T00:00:00.000Z"}"#)
        }
    }

    @Test("a token that was issued later, and written by somebody else, stays")
    func newest() throws {
        try withDirectory { _, store in
            try store.store(new, of: partner)
            let late = RefreshTokenStore.Entry(token: Secret("late"), obtainedAt: new.obtainedAt + .seconds(-60))
            try store.store(late, of: partner)
            #expect(store.entry(of: partner) == new)
            // A time far in the future is somebody's mistake and must not keep every later token out.
            let sane = RefreshTokenStore.Entry(token: Secret("sane"), obtainedAt: Timestamp(milliseconds: 1000))
            try store.store(sane, of: partner)
            #expect(store.entry(of: partner) == sane)
        }
    }

    @Test("counts the days from the file's own time, else from its last change")
    func daysLeft() throws {
        try withDirectory { directory, store in
            try write(#"{"refreshToken":"x","obtainedAt":"2026-01-01T00:00:00Z"}"#, directory)
            let entry = try #require(store.entry(of: partner))
            #expect(entry.daysLeft(at: try #require(Timestamp("2026-01-01T00:00:00Z"))) == 90)
            #expect(entry.daysLeft(at: try #require(Timestamp("2026-03-31T23:59:59Z"))) == 1)
            #expect(entry.daysLeft(at: try #require(Timestamp("2026-04-11T00:00:00Z"))) == -10)
            try write("bare", directory)
            #expect(store.entry(of: partner)?.daysLeft(at: SystemWallClock().now) == 90)
            #expect(store.partners == [partner])
        }
    }

    @Test("says so where it cannot write, and keeps the old token")
    func unwritable() throws {
        try withDirectory { directory, store in
            try write("old", directory)
            // Root writes into read-only folders too; a file for a folder stops everybody.
            if getuid() != 0 {
                chmod(directory, 0o500)
                #expect(throws: RefreshTokenStore.NotWritten.self) { try store.store(new, of: partner) }
                #expect(store.entry(of: partner)?.token.reveal() == "old")
            }
            let noDirectory = RefreshTokenStore(directory: "\(directory)/\(partner)")
            let failure = #expect(throws: RefreshTokenStore.NotWritten.self) { try noDirectory.store(new, of: partner) }
            #expect(failure?.description == "cannot write to \(directory)/\(partner): Not a directory")
            #expect(store.entry(of: partner)?.token.reveal() == "old")
        }
    }

    @Test("leaves nothing behind where it can write but not replace")
    func irreplaceable() throws {
        try withDirectory { directory, store in
            let path = "\(directory)/\(partner)"
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            let failure = #expect(throws: RefreshTokenStore.NotWritten.self) { try store.store(new, of: partner) }
            #expect(failure?.description == "cannot write to \(directory): Is a directory")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [partner.description])
        }
    }
}

@Suite("Secret", .timeLimit(.minutes(1)))
struct SecretTests {
    private struct Holder {
        let name = "holder"
        let secret = Secret("hunter2")
        let optional: Secret? = Secret("hunter2")
    }

    @Test("cannot be printed in any way, nor inside anything else")
    func printing() {
        let secret = Secret("hunter2")
        for value in [
            secret, [secret], ["k": secret], Optional(secret) as Any, (secret, 1), Holder(),
            Result<Secret, Never>.success(secret),
        ] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            let mirrored = "\(Mirror(reflecting: value).children.map { "\($0)" })"
            for text in ["\(value)", String(describing: value), String(reflecting: value), dumped, mirrored] {
                #expect(!text.contains("hunter2"))
            }
        }
        #expect("\(secret)" == "<secret>")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test("is equal by its value, and gives it only when asked")
    func value() {
        #expect(Secret("a") == Secret("a"))
        #expect(Secret("a") != Secret("b"))
        #expect(Secret("a").reveal() == "a")
    }
}
