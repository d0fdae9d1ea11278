import ArgumentParser

/// How many requests fit into a window: a number, or `none`.
enum RequestLimit: Codable, Equatable, Sendable, ExpressibleByArgument {
    case requests(Int)
    case none

    /// nil for no limit.
    var count: Int? {
        guard case .requests(let count) = self else { return nil }
        return count
    }

    init?(argument: String) {
        if argument == "none" {
            self = .none
        } else if let count = Int(argument), count > 0 {
            self = .requests(count)
        } else {
            return nil
        }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let argument = (try? container.decode(Int.self)).map(String.init) ?? (try? container.decode(String.self))
        guard let argument, let limit = RequestLimit(argument: argument) else {
            throw decoder.refuse("a limit is a number above 0 or \"none\"")
        }
        self = limit
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .requests(let count): try container.encode(count)
        case .none: try container.encode("none")
        }
    }

    var defaultValueDescription: String {
        count.map(String.init) ?? "none"
    }
}
