package import ConsentContract
import FoundationEssentials
import JSON
package import Secrets

/// A directory with one refresh token a partner tenant, each in a file named by the tenant's ID.
///
/// A file holds the bare token or `{"refreshToken": …, "obtainedAt": …}`. It is read at each redemption, so a file
/// dropped in adds a partner while the worker runs. Several pods may share the directory.
package struct RefreshTokenStore: Sendable {
    /// A token and when it was issued, as far as the file tells.
    package struct Entry: Sendable, Hashable {
        package let token: Secret
        /// From the file's content, else its time of change.
        package let obtainedAt: Timestamp

        package init(token: Secret, obtainedAt: Timestamp) {
            self.token = token
            self.obtainedAt = obtainedAt
        }

        /// Reads a file's content.
        /// - Parameter changed: when the file was.
        /// - Returns: nil if it holds no token.
        package init?(file bytes: [UInt8], changed: Timestamp) {
            if let document = try? JSONParser.parse(bytes), document.object != nil {
                guard let token = document["refreshToken"]?.string, !token.isEmpty else { return nil }
                let obtainedAt = document["obtainedAt"]?.string.flatMap(Timestamp.init) ?? changed
                self.init(token: Secret(token), obtainedAt: obtainedAt)
            } else {
                let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
                // A document that is broken is no bare token.
                guard !text.isEmpty, !text.hasPrefix("{"), !text.hasPrefix("[") else { return nil }
                self.init(token: Secret(text), obtainedAt: changed)
            }
        }

        /// Microsoft's life of a refresh token (learn.microsoft.com/entra/identity-platform/refresh-tokens).
        package static let lifetimeDays = 90

        /// When Microsoft stops accepting it, if it is not replaced before.
        package var expiry: Timestamp { obtainedAt + .seconds(Self.lifetimeDays * 86_400) }

        /// Days until the token expires; negative when it has.
        package func daysLeft(at now: Timestamp) -> Int {
            Self.lifetimeDays - Int((now - obtainedAt).components.seconds / 86_400)
        }
    }

    /// A token that could not be stored.
    package struct NotWritten: Error, Sendable, Hashable, CustomStringConvertible {
        fileprivate let directory: String
        fileprivate let reason: String

        package var description: String { "cannot write to \(directory): \(reason)" }
    }

    /// A file from further in the future than this was not written by another pod.
    private static let plausibleSkew = Duration.seconds(3600)

    private let directory: String

    package init(directory: String) { self.directory = directory }

    /// The partners that have a file, in order of their IDs.
    package var partners: [GUID] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.sorted().compactMap { name in GUID(name).flatMap { $0.description == name ? $0 : nil } }
    }

    /// The partner's token, nil if there is no file for it or it holds none.
    package func entry(of partner: GUID) -> Entry? {
        let path = path(of: partner)
        return TokenFile.read(path).flatMap { Entry(file: $0, changed: TokenFile.changed(path)) }
    }

    /// Replaces the partner's token in one step: readers see the old file or the new one, never a part. A newer token
    /// than the given one, written by another pod, stays.
    /// - Throws: ``NotWritten`` where the directory cannot be written, which is fine for a mounted secret.
    package func store(_ entry: Entry, of partner: GUID) throws(NotWritten) {
        if let present = self.entry(of: partner), present.obtainedAt > entry.obtainedAt,
            present.obtainedAt - entry.obtainedAt < Self.plausibleSkew
        {
            return
        }
        let document: JSONValue = [
            "refreshToken": .string(entry.token.reveal()), "obtainedAt": .string(entry.obtainedAt.description),
        ]
        do throws(TokenFile.WriteFailure) {
            try TokenFile.replace(path(of: partner), with: document.bytes)
        } catch {
            throw NotWritten(directory: directory, reason: "\(error)")
        }
    }

    /// Removes what a process that was killed while writing has left behind.
    package func removeRemnants() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where name.hasSuffix(TokenFile.temporarySuffix) {
            TokenFile.removeIfOld("\(directory)/\(name)")
        }
    }

    private func path(of partner: GUID) -> String { "\(directory)/\(partner)" }
}
