import Foundation

/// What `/proc` says of a process (proc(5)).
struct ProcessFigures: Equatable {
    /// CPU seconds, user and system.
    var cpu: Double
    /// Resident bytes now, and the most so far.
    var memory: Int64
    var peak: Int64

    /// Nil where there is no such process, or it has ended.
    static func read(_ pid: pid_t) -> ProcessFigures? {
        guard let stat = text("/proc/\(pid)/stat"), let status = text("/proc/\(pid)/status") else { return nil }
        return ProcessFigures(stat: stat, status: status, ticks: Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// - Parameter ticks: units of CPU time in a second.
    init?(stat: String, status: String, ticks: Double) {
        // The second field is the command, which may hold spaces and parentheses.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]),
            let memory = Self.kilobytes("VmRSS:", status)
        else { return nil }
        cpu = (user + system) / ticks
        self.memory = memory * 1_024
        peak = (Self.kilobytes("VmHWM:", status) ?? memory) * 1_024
    }

    private static func kilobytes(_ name: String, _ status: String) -> Int64? {
        let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int64($0) }
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
