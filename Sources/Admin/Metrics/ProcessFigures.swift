import Glibc

/// The process as the kernel sees it, by Prometheus's usual names.
enum ProcessFigures {
    static func samples() -> [MetricSample] {
        var samples: [MetricSample] = []
        // Fields of proc(5), counted behind the command's name, which may itself hold blanks and brackets.
        let stat = text("/proc/self/stat")
        let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        if fields.count > 22, let user = Double(fields[12]), let system = Double(fields[13]),
            let started = Double(fields[20]), let pages = Double(fields[22])
        {
            samples.append(MetricSample("process_cpu_seconds_total", (user + system) / ticks))
            samples.append(MetricSample("process_resident_memory_bytes", pages * Double(sysconf(Int32(_SC_PAGESIZE)))))
            if let booted = bootTime() {
                samples.append(MetricSample("process_start_time_seconds", booted + started / ticks))
            }
        }
        if let descriptors = openDescriptors() {
            samples.append(MetricSample("process_open_fds", Double(descriptors)))
        }
        return samples
    }

    private static func bootTime() -> Double? {
        text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
    }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without the two for the folder itself and its parent, and the descriptor that reads it.
        return count - 3
    }

    private static func text(_ path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
