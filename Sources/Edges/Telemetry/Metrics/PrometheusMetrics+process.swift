import Foundation
import Model

extension PrometheusMetrics {
    /// Adds the metrics of the process: CPU time, memory, descriptors, start, and `flotilla_build_info`. Without `/proc` those that
    /// are read there are missing.
    /// - Parameters:
    ///   - version: Flotilla's version, as `--version` prints it.
    ///   - terminal: whose dropped lines are counted.
    package func addProcess(version: String, terminal: Terminal? = nil) {
        if let terminal {
            addReading("flotilla_log_dropped_total") { Double(terminal.droppedLines) }
        }
        addReading("flotilla_build_info", labels: [("version", version), ("swift", ProcessReading.swiftVersion)]) { 1 }
        addReading("process_cpu_seconds_total", ProcessReading.cpuSeconds)
        addReading("process_resident_memory_bytes", ProcessReading.residentBytes)
        addReading("process_open_fds", ProcessReading.openDescriptors)
        let start = ProcessReading.startTime()
        addReading("process_start_time_seconds") { start }
    }
}

/// What the kernel says of this process (proc(5)).
package enum ProcessReading {
    static var swiftVersion: String {
        #if compiler(>=6.4)
            "6.4 or newer"
        #elseif compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    @Sendable package static func cpuSeconds() -> Double? { Double(Clock.cpu()) / 1e9 }

    @Sendable package static func residentBytes() -> Double? {
        // The second number of statm: resident pages.
        guard let fields = text("/proc/self/statm")?.split(separator: " "), fields.count > 1,
            let pages = Double(fields[1])
        else { return nil }
        return pages * Double(sysconf(Int32(_SC_PAGESIZE)))
    }

    @Sendable static func openDescriptors() -> Double? {
        guard let entries = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") else { return nil }
        // One of them is the directory itself.
        return Double(max(0, entries.count - 1))
    }

    /// Seconds since 1970-01-01 UTC.
    static func startTime() -> Double? {
        // Field 22 of stat, in clock ticks since boot; counted after the name, which may hold spaces and brackets.
        guard let stat = text("/proc/self/stat"), let name = stat.lastIndex(of: ")"),
            let system = text("/proc/stat"),
            let line = system.split(separator: "\n").first(where: { $0.hasPrefix("btime ") }),
            let boot = Double(line.dropFirst(6))
        else { return nil }
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 19, let ticks = Double(fields[19]) else { return nil }
        return boot + ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
