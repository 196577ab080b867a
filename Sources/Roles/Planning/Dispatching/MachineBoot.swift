import Foundation

/// Which boot of the machine this is. A file that a process had written before it was killed is whole until the next one.
enum MachineBoot {
    /// Drawn by the kernel at its start (random(4)); empty where it does not say.
    static let id: String = {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return (text ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}
