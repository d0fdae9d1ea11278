import Fuzzing
import Glibc
import TestSupport

typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

nonisolated(unsafe) private var input = FuzzInput.all[0]

@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<Arguments>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

@_silgen_name("LLVMFuzzerMutate")
private func mutateAsLibFuzzer(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int) -> Int

/// Runs libFuzzer on an input: `INPUT FOLDER ARGUMENT…`, where the arguments are libFuzzer's. Without them it writes what
/// this input's changes begin with into the folder, and without anything it names the inputs.
/// - Returns: the exit code.
func run(_ count: CInt, _ arguments: Arguments) -> CInt {
    let words = (1..<max(1, Int(count))).compactMap { arguments[$0].map { String(cString: $0) } }
    guard words.count >= 2, let found = FuzzInput.all.first(where: { $0.name == words[0] }) else {
        print(FuzzInput.all.map(\.name).joined(separator: "\n"))
        return words.isEmpty ? 0 : 64
    }
    input = found
    guard words.count > 2 else {
        for (index, bytes) in input.corpus.enumerated() { write(bytes, to: "\(words[1])/example-\(index)") }
        return 0
    }
    var rest = count - 2
    var arguments = arguments.advanced(by: 2)
    return runLibFuzzer(&rest, &arguments, test)
}

private func write(_ bytes: [UInt8], to path: String) {
    guard let file = fopen(path, "wb") else { fatalError("\(path) cannot be written") }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}

/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    do {
        try input.check(Array(UnsafeBufferPointer(start: data, count: size)))
    } catch {
        fatalError("\(input): \(error)")
    }
    return 0
}

/// Called by libFuzzer for each change. Half of them are its own, which go by what it has seen; the others keep the
/// input's structure.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutate(_ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: CUnsignedInt) -> Int {
    var generator = SeededGenerator(seed: UInt64(seed))
    guard Bool.random(using: &generator) else { return mutateAsLibFuzzer(data, size, maximum) }
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let mutated = input.mutation.mutated(bytes, using: &generator).prefix(maximum)
    for (index, byte) in mutated.enumerated() { data[index] = byte }
    return mutated.count
}
