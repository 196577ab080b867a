/// Tells how far a part of a check has come, about once a second.
struct InspectionProgress {
    private let say: (String) -> Void
    private var part = ""
    private var (all, done) = (0, 0)
    private var begun = ContinuousClock.now
    private var said = ContinuousClock.now

    init(_ say: @escaping (String) -> Void) { self.say = say }

    /// - Parameter all: what there is to do, in any unit.
    mutating func begin(_ part: String, all: Int = 0) {
        (self.part, self.all, done) = (part, all, 0)
        (begun, said) = (.now, .now)
        say(part)
    }

    mutating func advance(by count: Int) {
        done += count
        guard all > 0, done > 0, ContinuousClock.now - said >= .seconds(1) else { return }
        said = .now
        let share = min(1, Double(done) / Double(all))
        let left = (ContinuousClock.now - begun) / share * (1 - share)
        say("\(part): \(Int(share * 100)) %, some \(left.components.seconds + 1) s left")
    }
}
