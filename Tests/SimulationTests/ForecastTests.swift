import Model
import Policy
import TestServers
import Testing

@testable import Simulation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a plan comes to where it can be said by hand.
@Suite struct ForecastTests {
    private func plan(
        _ recipients: Int, _ provider: ProviderPlan, speed: String? = nil, workers: Int = 1, lifetime: Double = 30 * 86_400
    ) throws -> FleetPlan {
        var mailing = MailingPlan(
            name: "news", provider: "relay", recipients: recipients, speed: try speed.map { try RateLimit($0) })
        mailing.lifetime = lifetime
        return FleetPlan(mailings: [mailing], providers: ["relay": provider], workers: workers)
    }

    /// Seconds from the first start to the last response.
    private func sending(_ forecast: Forecast) throws -> Double {
        try #require(forecast.mailings[0].ends) - #require(forecast.mailings[0].begins)
    }

    @Test(arguments: [("25/s", 500), ("500/s", 20_000), ("1019/min", 3_000), ("12345/s", 1_000_000)])
    func aLimitAloneIsExact(speed: String, recipients: Int) throws {
        var plan = try plan(recipients, ProviderPlan(latency: .fixed(0.01), connections: 1_000), speed: speed)
        plan.concurrency = 1_000
        let forecast = Simulator.forecast(plan)
        let limit = ReservationCalendar.Limit(try RateLimit(speed))
        // The first starts at once, the last response comes after its latency.
        let expected = Double(recipients - 1) * limit.interval / 1e6 + 0.01
        #expect(abs(try sending(forecast) - expected) < max(0.25, 0.001 * expected))
        #expect(forecast.mailings[0].sent == recipients)
        #expect(forecast.mailings[0].bottlenecks.first?.by == .limit("mailing:news"))
        #expect(forecast.attempts == recipients)
    }

    @Test(arguments: [Latency.fixed(0.1), .even(0.05...0.5), .logNormal(p50: 0.12, p99: 0.9)], [5_000, 300_000])
    func connectionsAndLatencyAloneAreExact(latency: Latency, recipients: Int) throws {
        let forecast = try Simulator.forecast(plan(recipients, ProviderPlan(latency: latency, connections: 20), workers: 4))
        // At the end some workers have more left than others: half a batch's time.
        let expected = Double(recipients) * latency.mean / 80 + 500 * latency.mean / 20 / 2
        #expect(abs(try sending(forecast) - expected) < 0.01 * expected + 3 * latency.mean, "\(forecast.seconds) for \(expected)")
        #expect(forecast.mailings[0].bottlenecks.first?.by == .connections("relay"))
        #expect(forecast.providers[0].connections == 80)
        #expect((78...80).contains(forecast.providers[0].busyConnections))
    }

    @Test func fewAndManyComeToTheSame() throws {
        // Just below and well above the number from which each goes by itself.
        for (speed, latency) in [("200/s", 0.05), (nil, 1.0)] as [(String?, Double)] {
            let few = try Simulator.forecast(plan(Simulator.few, ProviderPlan(latency: .fixed(latency)), speed: speed))
            let many = try Simulator.forecast(plan(10 * Simulator.few, ProviderPlan(latency: .fixed(latency)), speed: speed))
            #expect(abs(10 * (try sending(few)) / (try sending(many)) - 1) < 0.02)
        }
    }

    @Test func connectionsThatKeepALimitFullAreLittlesLaw() throws {
        let forecast = try Simulator.forecast(
            plan(100_000, ProviderPlan(latency: .even(0.02...0.028)), speed: "500/s"))
        #expect(forecast.providers[0].neededConnections == 12)
        #expect(abs(forecast.providers[0].busyConnections - 12) < 0.2)
        #expect(abs((forecast.providers[0].limit ?? 0) - 497.5) < 0.1)
    }

    @Test func retriesTakeAsLongAsTheirScheduleSays() throws {
        var provider = ProviderPlan(latency: .fixed(0.01))
        provider.responses = [ResponseShare(.retry, 0.1), ResponseShare(.fail, 0.02)]
        let forecast = try Simulator.forecast(plan(200_000, provider))
        let mailing = forecast.mailings[0]
        #expect(mailing.sent + mailing.failed == 200_000 && mailing.expired == 0)
        // Five attempts: 2 % of each are refused for good, and a hundred thousandth is refused for now five times.
        let good = (0..<5).reduce(0.0) { sum, attempt in sum + 0.88 * [1, 0.1, 0.01, 0.001, 0.0001][attempt] }
        #expect(abs(Double(mailing.sent) / 200_000 - good) < 0.002)
        #expect(abs(Double(forecast.attempts) / 200_000 - 1.1111) < 0.002)
        // Some twenty are tried five times: after 5 to 15 min, to 30 min, to 1 h and to 2 h, each with up to a minute more.
        let last = try #require(mailing.ends)
        let sum = [900.0, 1800, 3600, 7200].reduce(0, +)
        #expect(last < sum + 4 * 61 + 60 && last > 0.55 * sum, "\(last)")
        #expect(mailing.bottlenecks.first?.by == .retries)
    }

    @Test func whatExpiresIsSaid() throws {
        let forecast = try Simulator.forecast(
            plan(1_000_000, ProviderPlan(latency: .fixed(0.01)), speed: "10/s", lifetime: 3_600))
        let mailing = forecast.mailings[0]
        #expect(mailing.sent + mailing.expired == 1_000_000)
        #expect(abs(Double(mailing.sent) - 3_600 * 10 / 1.005) < 40)
        #expect(abs(forecast.seconds - 3_600) < 1)
    }

    @Test func anOutageCostsItsLengthAndTheWayBack() throws {
        var provider = ProviderPlan(latency: .fixed(0.05))
        let whole = try sending(Simulator.forecast(plan(100_000, provider, speed: "500/s", workers: 4)))
        provider.outages = [60..<660]
        let forecast = try Simulator.forecast(plan(100_000, provider, speed: "500/s", workers: 4))
        #expect(forecast.mailings[0].sent == 100_000)
        // No attempt is spent, and after it each worker's next probe comes within the breaker's longest wait.
        let more = try sending(forecast) - whole
        #expect(more >= 600 && more <= 600 + 30, "\(more)")
        #expect(forecast.attempts == 100_000)
        #expect(abs(forecast.providers[0].secondsUnavailable - 600) < 0.1)
        #expect(forecast.providers[0].secondsToReturn <= 30)
        #expect(forecast.providers[0].uncertain == 25)
        #expect(forecast.phases.contains { $0.bottleneck == .outage("relay") && abs($0.to - $0.from - 600) < 31 }, "\(forecast.phases)")
    }

    @Test func smallMailingsDoNotWaitForALargeOne() throws {
        var mailings = [MailingPlan(name: "big", provider: "relay", recipients: 1_000_000)]
        mailings += (1...20).map { MailingPlan(name: "small \($0)", provider: "relay", recipients: 1_000) }
        for index in mailings.indices.dropFirst() { mailings[index].at = 60 }
        let plan = FleetPlan(
            mailings: mailings, providers: ["relay": ProviderPlan(latency: .fixed(0.02), connections: 20)], workers: 4)
        let forecast = Simulator.forecast(plan)
        // 4,000 a second, shared by twenty-one.
        let small = forecast.mailings.filter { $0.name != "big" }.compactMap(\.seconds)
        #expect(small.count == 20)
        #expect(small.allSatisfy { (4...7).contains($0) }, "\(small)")
        let big = try #require(forecast.mailings.first { $0.name == "big" }?.seconds)
        #expect(abs(big - 1_020_000 / 4_000 - 2.2) < 3, "\(big)")
    }

    @Test func aDomainThatIsLimitedHoldsUpNobodyElse() throws {
        var plan = try plan(60_000, ProviderPlan(latency: .fixed(0.01)), speed: "300/s")
        plan.limits.domains = [DomainLimit(name: "slow", names: ["slow.example"], limit: try RateLimit("50/s"))]
        plan.mailings[0].domains = ["slow": 1.0 / 3]
        let forecast = Simulator.forecast(plan)
        #expect(abs(try sending(forecast) - 20_000 / 50 * 1.005) < 1)
        #expect(forecast.mailings[0].bottlenecks.first?.by == .limit("domain:slow"))
        // While all go, 250 of the 300 a second are others'.
        #expect(abs((forecast.rate.first { $0.at == 60 }?.rate ?? 0) - 298.5) < 1)
        #expect(abs((forecast.rate.first { $0.at == 200 }?.rate ?? 0) - 49.75) < 1)
        // The mailing's limit is for both kinds together.
        #expect(abs((forecast.providers[0].limit ?? 0) - 298.5) < 0.1)
    }

    @Test func withoutAPlannerDispatchedBatchesAreSentAndNothingNew() throws {
        var plan = try plan(60_000, ProviderPlan(latency: .fixed(0.02)), speed: "500/s")
        let whole = try sending(Simulator.forecast(plan))
        plan.outages = [OutageWindow(.planner, 30..<90)]
        let forecast = Simulator.forecast(plan)
        // Two seconds of work twice over and two batches a worker are dispatched: 3,000 messages, of which half a batch is done.
        let lost = 60 - 2_750 / 497.5
        let took = try sending(forecast)
        #expect(abs(took - whole - lost) < 1, "\(took) for \(whole) + \(lost)")
        #expect(forecast.mailings[0].sent == 60_000)
        #expect(forecast.phases.contains { $0.bottleneck == .missing(.planner) && abs($0.to - 90) < 0.5 }, "\(forecast.phases)")
        // One that is missing while it plans continues where it was.
        plan.outages = [OutageWindow(.planner, 0..<20)]
        #expect(abs((Simulator.forecast(plan).mailings[0].begins ?? 0) - 20.126) < 0.01)
        plan.outages = [OutageWindow(.planner, 0 ..< .infinity)]
        let never = Simulator.forecast(plan)
        #expect(never.mailings[0].sent == 0 && never.mailings[0].expired == 60_000)
    }

    @Test func withoutACollectorFeedingStopsThreeWindowsLater() throws {
        var plan = try plan(60_000, ProviderPlan(latency: .fixed(0.02)), speed: "500/s")
        plan.mailings[0].batch = 100
        plan.window = 8
        let whole = try sending(Simulator.forecast(plan))
        plan.outages = [OutageWindow(.collector, 30..<90)]
        let forecast = Simulator.forecast(plan)
        let lost = 60 - (2_400 + 750) / 497.5
        let took = try sending(forecast)
        #expect(abs(took - whole - lost) < 1, "\(took) for \(whole) + \(lost)")
        #expect(forecast.mailings[0].sent == 60_000)
    }

    @Test(arguments: [1_500, 60_000]) func withoutRedisNothingBegins(recipients: Int) throws {
        var plan = try plan(recipients, ProviderPlan(latency: .fixed(0.02)), speed: "500/s")
        let whole = try sending(Simulator.forecast(plan))
        plan.outages = [OutageWindow(.redis, 1..<9), OutageWindow(.redis, 2..<6)]
        let forecast = Simulator.forecast(plan)
        let took = try sending(forecast)
        #expect(abs(took - whole - 8) < 0.3, "\(took) for \(whole)")
        #expect(forecast.mailings[0].sent == recipients)
    }

    @Test func aProviderThatThrottlesIsSentWhatItTakes() throws {
        var provider = ProviderPlan(latency: .fixed(0.05))
        provider.hiddenLimit = HiddenLimit(perSecond: 100, burst: 20)
        let forecast = try Simulator.forecast(plan(60_000, provider, speed: "400/s"))
        #expect(forecast.mailings[0].sent == 60_000 && forecast.mailings[0].failed == 0)
        let seconds = try sending(forecast)
        #expect(seconds > 600 && seconds < 720, "\(seconds)")
        #expect(forecast.mailings[0].bottlenecks.first?.by == .pace("provider:relay"))
    }

    @Test func itSaysWhatIsFull() throws {
        func most(_ change: (inout FleetPlan) -> Void) throws -> Bottleneck? {
            var plan = try plan(1_000_000, ProviderPlan(latency: .fixed(0.001), connections: 1_000), workers: 2)
            plan.concurrency = 1_000
            change(&plan)
            return Simulator.forecast(plan).mailings[0].bottlenecks.first?.by
        }
        #expect(try most { _ in } == .workerCPU)
        #expect(try most { $0.cores = 1 } == .cores)
        #expect(try most { $0.costs.redis = 100 } == .redis)
        #expect(try most { $0.costs.collect = 100 } == .collector)
        #expect(try most { $0.costs.plan = 1_000 } == .planning)
        #expect(try most { $0.providers["relay"]?.mostConnections = 10 } == .providerConnections("relay"))
        #expect(try most { $0.workers = [.init(at: 0, count: 0), .init(at: 600, count: 2)] } == .noWorkers)
        #expect(
            try most {
                $0.providers["relay"]?.latency = .fixed(1)
                $0.workers = [.init(at: 0, count: 100)]
                $0.window = 10
            } == .window)
    }

    @Test func noWorkersIsNoEnd() throws {
        let forecast = try Simulator.forecast(plan(1_000, ProviderPlan(latency: .fixed(0.01)), workers: 0))
        // Its lifetime ends it.
        #expect(forecast.mailings[0].expired == 1_000)
    }

    @Test func theSameSeedHasTheSameForecast() throws {
        var provider = ProviderPlan(latency: .logNormal(p50: 0.1, p99: 1))
        provider.responses = [
            ResponseShare(.retry, 0.05), ResponseShare(.slowDown, 0.02, retryAfter: 2), ResponseShare(.fail, 0.01),
        ]
        var plan = try plan(30_000, provider, speed: "300/s", workers: 3)
        plan.mailings.append(MailingPlan(name: "text", channel: .messenger, provider: "relay", recipients: 1_500))
        let forecasts = (0..<2).map { _ in Simulator.forecast(plan) }
        #expect(forecasts[0].seconds == forecasts[1].seconds)
        #expect(forecasts[0].rate == forecasts[1].rate)
        #expect(forecasts[0].mailings.map(\.responses) == forecasts[1].mailings.map(\.responses))
        plan.seed = 2
        #expect(Simulator.forecast(plan).mailings.map(\.responses) != forecasts[0].mailings.map(\.responses))
    }

    @Test(.timeLimit(.minutes(5))) func fiftyMillionTakeSeconds() throws {
        var provider = ProviderPlan(latency: .even(0.02...0.028))
        provider.responses = [ResponseShare(.retry, 0.02), ResponseShare(.fail, 0.01)]
        // Of this thread: other tests have the machine as well.
        let began = cpuTime()
        let forecast = try Simulator.forecast(plan(50_000_000, provider, speed: "500/s", workers: 4))
        let took = cpuTime() - began
        #expect(took < 10, "\(took) s")
        let mailing = forecast.mailings[0]
        #expect(mailing.sent + mailing.failed == 50_000_000)
        // Every fiftieth message comes twice; the last of five attempts of a few come some hours later.
        let ideal = 51_020_000 / 500 * 1.005
        #expect(abs((mailing.bottlenecks.first?.seconds ?? 0) / ideal - 1) < 0.01, "\(mailing.bottlenecks)")
        #expect((mailing.ends ?? 0) > ideal && (mailing.ends ?? 0) < ideal + 13_500)
    }
}
