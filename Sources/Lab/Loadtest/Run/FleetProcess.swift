import Model

/// A process of the run, or those that followed one another under its name. Used on the run's executor alone.
final class FleetProcess {
    let name: String
    let kind: ProcessKind
    /// In the order in which the run made them.
    let number: Int
    /// Of its metrics; 0 for none.
    let port: Int
    var process: ChildProcess?
    /// Nobody has asked it to end: its end would be a failure of the run.
    var isWanted = false
    var isFrozen = false
    /// A line of the script works on it.
    var isBusy = false
    /// How each of its processes ended.
    var exits: [String] = []
    /// Highest resident memory, in bytes.
    var peak: Int64?
    /// The last counts of the present process, and the sums of the processes before it.
    var figures = RoleFigures()
    private(set) var past = RoleFigures()
    /// CPU seconds of processes that have ended, of the present one, and of all when the run began.
    private var cpuBefore = 0.0
    private var cpuNow = 0.0
    private var cpuAtStart = 0.0
    /// Resident memory over time, in bytes.
    private(set) var memory: [(at: Double, bytes: Int64)] = []

    init(_ kind: ProcessKind, name: String, number: Int, port: Int) {
        self.kind = kind
        self.name = name
        self.number = number
        self.port = port
    }

    var isRunning: Bool { process?.isRunning ?? false }

    /// CPU seconds since the run began.
    var cpu: Double { cpuBefore + cpuNow - cpuAtStart }

    /// What its processes have counted.
    var counts: RoleFigures {
        var counts = past
        counts.addCounts(of: figures)
        return counts
    }

    func begin(_ process: ChildProcess) {
        self.process = process
        isWanted = true
        isFrozen = false
        memory.removeAll()
    }

    /// Takes CPU and memory as they are now.
    func measure(at time: Double) {
        guard let process, let now = ProcessFigures.read(process.pid) else { return }
        cpuNow = now.cpu
        peak = max(peak ?? 0, now.peak)
        memory.append((time, now.memory))
    }

    /// Its CPU counts from this moment.
    func resetCPU() { cpuAtStart = cpuBefore + cpuNow }

    /// Adds the counts of the process that has ended.
    func close(_ how: String) {
        cpuBefore += process?.cpuAtEnd ?? cpuNow
        cpuNow = 0
        past.addCounts(of: figures)
        figures = RoleFigures()
        exits.append(how)
        process = nil
        isFrozen = false
    }

    /// By how much its memory grew from the second tenth of its time to the last, by their medians; nil if its time was too short.
    var memoryGrowth: Double? {
        guard memory.count >= 20 else { return nil }
        let tenth = memory.count / 10
        func median(_ part: ArraySlice<(at: Double, bytes: Int64)>) -> Double {
            Double(part.map(\.bytes).sorted()[part.count / 2])
        }
        let early = median(memory[tenth..<(2 * tenth)])
        return early > 0 ? median(memory.suffix(tenth)) / early - 1 : nil
    }
}
