import Synchronization
import Text

/// Decides what becomes of a message. The same seed, recipient and number of the attempt always have the same result, in
/// whatever order and over however many connections they come.
final class FaultSelector: Sendable {
    /// The attempt to reach a recipient, from which draws are made.
    struct Attempt {
        var key: UInt64
        /// From 1; 0 where attempts need not be counted.
        var number: Int
    }

    private let profile: FailureProfile
    private let latency: SinkLatency
    private let seed: UInt64
    private let counts: Bool
    /// Attempts by recipient, where the response depends on them.
    private let attempts = Mutex<[UInt64: UInt32]>([:])
    private let draws = Atomic<UInt64>(0)

    init(profile: FailureProfile, latency: SinkLatency, seed: UInt64) {
        self.profile = profile
        self.latency = latency
        self.seed = Self.mix(seed &+ 0x9e37_79b9_7f4a_7c15)
        counts = profile.drawsByRecipient
    }

    /// Begins an attempt to reach a recipient: at RCPT or at the end of a request, once each.
    func begin(_ recipient: UnsafeRawBufferPointer, _ behaviour: AddressBehaviour?) -> Attempt {
        // Mixed at the end, since recipients differ in few bytes.
        var key = FNV.seed64
        for byte in recipient { key = FNV.step(key, byte) }
        key = Self.mix(key ^ seed)
        guard counts || behaviour != nil else { return Attempt(key: key, number: 0) }
        let number = attempts.withLock { table in
            table[key, default: 0] &+= 1
            return table[key, default: 0]
        }
        return Attempt(key: key, number: Int(number))
    }

    /// The fault that a profile's share gives an attempt.
    func fault(at stage: FailureProfile.Stage, _ attempt: Attempt) -> Fault? {
        guard !profile[stage].isEmpty else { return nil }
        return profile.fault(at: stage, draw: draw(attempt, UInt64(stage.hashPart)))
    }

    /// The fault of a connection or of a MAIL, which have no recipient: by their order.
    func fault(at stage: FailureProfile.Stage) -> Fault? {
        guard !profile[stage].isEmpty else { return nil }
        let number = draws.wrappingAdd(1, ordering: .relaxed).newValue
        return profile.fault(at: stage, draw: draw(Attempt(key: Self.mix(seed ^ number), number: 0), 0))
    }

    /// How long the response to an attempt is held back, in nanoseconds.
    func latency(_ attempt: Attempt) -> Int64 {
        latency.isFixed ? latency.least : latency.at(draw(attempt, 0xff), draw(attempt, 0xfe))
    }

    private func draw(_ attempt: Attempt, _ part: UInt64) -> Double {
        let bits = Self.mix(attempt.key &+ UInt64(attempt.number) &* 0x9e37_79b9_7f4a_7c15 &+ part << 56)
        return Double(bits >> 11) * 0x1p-53
    }

    /// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    private static func mix(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}

extension FailureProfile.Stage {
    /// Draws of different stages are independent: what a recipient meets at RCPT says nothing of the final dot.
    fileprivate var hashPart: UInt8 {
        switch self {
        case .connect: 1
        case .mail: 2
        case .rcpt: 3
        case .data: 4
        case .http: 5
        }
    }
}
