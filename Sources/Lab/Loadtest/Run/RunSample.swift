/// What was seen at a moment of a run.
struct RunSample: Sendable {
    /// Seconds from the start.
    var at: Double
    /// Sums over all workers since they were started.
    var counts: RoleFigures
    /// Batches, seconds, entries; nil where nobody told.
    var ready: Double?
    var inFlight: Double?
    var lag: Double?
    /// CPU seconds since the start by kind.
    var cpu: [ProcessKind: Double]
    /// The largest resident memory of a process by kind, in bytes.
    var memory: [ProcessKind: Int64]
    /// What Redis counts as used, in bytes.
    var redisMemory: Int64?
    var workers: Int
}
