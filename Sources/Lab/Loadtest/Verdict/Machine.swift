import Foundation

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension RunResult.Machine {
    /// The machine of the run.
    static var here: RunResult.Machine {
        var system = utsname()
        uname(&system)
        let kernel = [text(of: system.sysname), text(of: system.release)].joined(separator: " ")
        return RunResult.Machine(
            cores: ProcessInfo.processInfo.activeProcessorCount,
            memoryBytes: Int64(clamping: ProcessInfo.processInfo.physicalMemory), kernel: kernel)
    }

    /// A C string that Swift sees as a tuple.
    private static func text<Field>(of field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
