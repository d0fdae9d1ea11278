extension FaultAction {
    private enum Name: String, CodingKey, CaseIterable {
        case latency, status, throttle, refusal, tokenError, reset, hang, malformed, truncate, huge, expireTokens
    }

    private struct Milliseconds: Codable {
        var ms: Int?

        enum CodingKeys: String, CodingKey, CaseIterable { case ms }

        init(ms: Int?) { self.ms = ms }

        init(from decoder: any Decoder) throws {
            ms = try decoder.strictContainer(keyedBy: CodingKeys.self).decodeIfPresent(Int.self, forKey: .ms)
            guard ms ?? 0 >= 0 else { throw decoder.refuse("ms is not below 0") }
        }
    }

    private struct Bytes: Codable {
        var bytes: Int

        enum CodingKeys: String, CodingKey, CaseIterable { case bytes }

        init(bytes: Int) { self.bytes = bytes }

        init(from decoder: any Decoder) throws {
            bytes = try decoder.strictContainer(keyedBy: CodingKeys.self).decode(Int.self, forKey: .bytes)
            guard (0...1_073_741_824).contains(bytes) else { throw decoder.refuse("bytes is from 0 to 1073741824") }
        }
    }

    private struct RetryAfter: Codable {
        var retryAfter: String?

        enum CodingKeys: String, CodingKey, CaseIterable { case retryAfter }

        init(retryAfter: String?) { self.retryAfter = retryAfter }

        init(from decoder: any Decoder) throws {
            let values = try decoder.strictContainer(keyedBy: CodingKeys.self)
            let seconds = try? values.decodeIfPresent(Int.self, forKey: .retryAfter)
            retryAfter = try seconds.map(String.init) ?? values.decodeIfPresent(String.self, forKey: .retryAfter)
        }
    }

    private struct Empty: Codable {
        init() {}

        func encode(to encoder: any Encoder) throws {
            _ = encoder.container(keyedBy: AnyKey.self)
        }

        init(from decoder: any Decoder) throws {
            guard try decoder.container(keyedBy: AnyKey.self).allKeys.isEmpty else {
                throw decoder.refuse("this action takes no members: write {}")
            }
        }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.strictContainer(keyedBy: Name.self)
        guard values.allKeys.count == 1, let name = values.allKeys.first else {
            throw decoder.refuse("an action has exactly one member, such as {\"latency\": {\"ms\": 200}}")
        }
        switch name {
        case .latency:
            guard let ms = try values.decode(Milliseconds.self, forKey: name).ms else {
                throw decoder.refuse("latency needs ms")
            }
            self = .latency(milliseconds: ms)
        case .status: self = .status(try values.decode(StatusAnswer.self, forKey: name))
        case .throttle: self = .throttle(retryAfter: try values.decode(RetryAfter.self, forKey: name).retryAfter)
        case .refusal: self = .refusal(try values.decode(Refusal.self, forKey: name))
        case .tokenError: self = .tokenError(try values.decode(TokenErrorAnswer.self, forKey: name))
        case .hang: self = .hang(milliseconds: try values.decode(Milliseconds.self, forKey: name).ms)
        case .huge: self = .huge(bytes: try values.decode(Bytes.self, forKey: name).bytes)
        case .reset, .malformed, .truncate, .expireTokens:
            _ = try values.decode(Empty.self, forKey: name)
            self =
                switch name {
                case .reset: .reset
                case .malformed: .malformed
                case .truncate: .truncate
                default: .expireTokens
                }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Name.self)
        switch self {
        case .latency(let ms): try values.encode(Milliseconds(ms: ms), forKey: .latency)
        case .status(let answer): try values.encode(answer, forKey: .status)
        case .throttle(let text): try values.encode(RetryAfter(retryAfter: text), forKey: .throttle)
        case .refusal(let refusal): try values.encode(refusal, forKey: .refusal)
        case .tokenError(let answer): try values.encode(answer, forKey: .tokenError)
        case .reset: try values.encode(Empty(), forKey: .reset)
        case .hang(let ms): try values.encode(Milliseconds(ms: ms), forKey: .hang)
        case .malformed: try values.encode(Empty(), forKey: .malformed)
        case .truncate: try values.encode(Empty(), forKey: .truncate)
        case .huge(let bytes): try values.encode(Bytes(bytes: bytes), forKey: .huge)
        case .expireTokens: try values.encode(Empty(), forKey: .expireTokens)
        }
    }
}
