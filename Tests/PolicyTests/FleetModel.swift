import Model
import Policy

/// Workers that share limits, in virtual time: each has a clock of its own that is wrong, asks a store for moments over a network with
/// delays, wakes up late, and may die. The store, the stock and the clock are the real ones; nothing here knows how they work.
struct FleetModel {
    enum Event {
        case ask(Int)
        case reserve(Int, sent: Int64)
        case reply(Int, ReservationCalendar.Grant, shared: Double, sent: Int64)
        case wake(Int)
        case die(Int)
        case join
        case change([RateLimit])
        case learn(Int)
    }

    struct Worker {
        var clock = SharedClock()
        var stock: ReservationStock
        /// What the worker knows of the limits.
        var limits: [RateLimit]
        var offset: Double
        var drift: Double
        var isAlive = true
        /// When it looks at its stock next.
        var wakes = Double.infinity

        /// Its own time in nanoseconds at a true time in microseconds.
        func local(_ time: Double) -> Int64 { Int64((time * (1 + drift) + offset) * 1000) }
        func time(_ local: Int64) -> Double { (Double(local) / 1000 - offset) / (1 + drift) }
    }

    /// The store's clock less the true time, in microseconds.
    static let epoch = 1.76e15
    static let horizon = 200_000.0

    var random: SeededGenerator
    var limits: [RateLimit]
    var calendars: [ReservationCalendar]
    var workers: [Worker] = []
    var events: [(at: Double, what: Event)] = []
    /// How late a worker wakes up, in microseconds: mostly, and once in a while.
    var lateness: (usual: ClosedRange<Double>, seldom: ClosedRange<Double>) = (0...300, 0...300)
    var now = 0.0
    /// True times, in microseconds.
    var starts: [Double] = []

    init(seed: UInt64, limits: [RateLimit], workers count: Int) {
        random = SeededGenerator(seed: seed)
        self.limits = limits
        calendars = limits.map { ReservationCalendar(ReservationCalendar.Limit($0), now: Self.epoch, horizon: Self.horizon) }
        for _ in 0..<count { join() }
    }

    private mutating func join() {
        let interval = limits.map { ReservationCalendar.Limit($0).interval }.max() ?? 0
        workers.append(
            Worker(
                stock: ReservationStock(interval: interval), limits: limits, offset: .random(in: 1e6...7.2e9, using: &random),
                drift: .random(in: -0.0002...0.0002, using: &random)))
        // A worker reads the store's clock a few times before it begins.
        for _ in 0..<4 {
            let (out, back) = (delay(), delay())
            workers[workers.count - 1].clock.note(
                shared: (Self.epoch + now).rounded(.down), sent: workers[workers.count - 1].local(now - out),
                received: workers[workers.count - 1].local(now + back))
        }
        plan(.random(in: 0...100_000, using: &random), .ask(workers.count - 1))
    }

    mutating func plan(_ delay: Double, _ what: Event) { events.append((now + delay, what)) }

    mutating func run(until end: Double) {
        while let next = events.indices.min(by: { events[$0].at < events[$1].at }), events[next].at < end {
            let event = events.remove(at: next)
            now = event.at
            happen(event.what)
        }
        now = end
    }

    /// Out or back, in microseconds: loopback, and now and then a machine that stands still.
    private mutating func delay() -> Double {
        .random(in: Double.random(in: 0..<1, using: &random) < 0.02 ? 200...20_000 : 20...200, using: &random)
    }

    private mutating func happen(_ event: Event) {
        switch event {
        case .ask(let index):
            guard workers[index].isAlive else { return }
            plan(delay(), .reserve(index, sent: workers[index].local(now)))
        case .reserve(let index, let sent):
            let known = workers[index].limits.map { ReservationCalendar.Limit($0) }
            let shared = (Self.epoch + now).rounded(.down)
            let most = Int((100_000 / (known.map(\.interval).max() ?? 1)).rounded(.up))
            let grant = ReservationCalendar.reserve(
                Int.random(in: (most + 1) / 2...2 * most, using: &random), in: &calendars, limits: known,
                within: ReservationCalendar.Window(now: shared, horizon: max(Self.horizon, (known.map(\.interval).max() ?? 0) / 4)))
            plan(delay(), .reply(index, grant, shared: shared, sent: sent))
        case .reply(let index, let grant, let shared, let sent):
            guard workers[index].isAlive else { return }
            let received = workers[index].local(now)
            workers[index].clock.note(shared: shared, sent: sent, received: received)
            workers[index].stock.add(
                zip(grant.moments, grant.latest).compactMap { moment, latest in
                    workers[index].clock.local(shared + moment, now: received).map {
                        ReservationStock.Reservation($0, latest: workers[index].clock.local(shared + latest, now: received))
                    }
                })
            wakeUp(index, in: 0)
            plan(.random(in: 15_000...75_000, using: &random), .ask(index))
        case .wake(let index): wake(index)
        case .die(let index): workers[index].isAlive = false
        case .join: join()
        case .change(let limits):
            self.limits = limits
            for index in workers.indices { plan(.random(in: 0...300_000, using: &random), .learn(index)) }
        case .learn(let index):
            workers[index].limits = limits
            workers[index].stock = ReservationStock(interval: limits.map { ReservationCalendar.Limit($0).interval }.max() ?? 0)
        }
    }

    /// Starts what is due, and looks again when the next is.
    private mutating func wake(_ index: Int) {
        // One that was put off or came earlier is another's.
        guard workers[index].isAlive, workers[index].wakes == now else { return }
        workers[index].wakes = .infinity
        let local = workers[index].local(now)
        _ = workers[index].stock.dropLate(local)
        while case .now = workers[index].stock.take(local, reach: 0).start {
            starts.append(now)
            _ = workers[index].stock.dropLate(local)
        }
        guard let next = workers[index].stock.reservation(0) else { return }
        let late = Double.random(in: Double.random(in: 0..<1, using: &random) < 0.02 ? lateness.seldom : lateness.usual, using: &random)
        wakeUp(index, in: max(0.01, workers[index].time(next) - now + late))
    }

    private mutating func wakeUp(_ index: Int, in delay: Double) {
        guard now + delay < workers[index].wakes else { return }
        workers[index].wakes = now + delay
        plan(delay, .wake(index))
    }
}
