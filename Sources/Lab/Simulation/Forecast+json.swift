/// Keys that have changed are written under their old names too: `answers`, `brakes`, `brake` and `seconds_away` go with the
/// next version.
extension Forecast.Mailing {
    private enum Key: String, CodingKey {
        case name, recipients, at, begins, ends, mostEnd, sent, failed, expired, held, uncertain, responses, bottlenecks
        case answers, brakes
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(recipients, forKey: .recipients)
        try container.encode(at, forKey: .at)
        try container.encodeIfPresent(begins, forKey: .begins)
        try container.encodeIfPresent(ends, forKey: .ends)
        try container.encodeIfPresent(mostEnd, forKey: .mostEnd)
        try container.encode(sent, forKey: .sent)
        try container.encode(failed, forKey: .failed)
        try container.encode(expired, forKey: .expired)
        try container.encode(held, forKey: .held)
        try container.encode(uncertain, forKey: .uncertain)
        for key in [Key.responses, .answers] { try container.encode(responses, forKey: key) }
        for key in [Key.bottlenecks, .brakes] { try container.encode(bottlenecks, forKey: key) }
    }
}

extension Forecast.Phase {
    private enum Key: String, CodingKey { case from, to, rate, bottleneck, brake }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(from, forKey: .from)
        try container.encode(to, forKey: .to)
        try container.encode(rate, forKey: .rate)
        for key in [Key.bottleneck, .brake] { try container.encode(bottleneck, forKey: key) }
    }
}

extension Forecast.Provider {
    private enum Key: String, CodingKey {
        case name, peakRate, busyConnections, limit, neededConnections, connections, secondsUnavailable, secondsToReturn, uncertain
        case secondsAway
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(name, forKey: .name)
        try container.encode(peakRate, forKey: .peakRate)
        try container.encode(busyConnections, forKey: .busyConnections)
        try container.encodeIfPresent(limit, forKey: .limit)
        try container.encodeIfPresent(neededConnections, forKey: .neededConnections)
        try container.encode(connections, forKey: .connections)
        for key in [Key.secondsUnavailable, .secondsAway] { try container.encode(secondsUnavailable, forKey: key) }
        try container.encode(secondsToReturn, forKey: .secondsToReturn)
        try container.encode(uncertain, forKey: .uncertain)
    }
}
