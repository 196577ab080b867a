/// A response that a share of the attempts gets from a sink, for forecasts.
package struct ExpectedResponse: Sendable, Equatable {
    /// Of all attempts, 0 to 1.
    package var share: Double
    package var stage: FailureProfile.Stage
    package var fault: Fault
}

extension FailureProfile {
    /// What attempts by a protocol meet. It does not count faults in place of SMTP's greeting: they cost connections, not messages.
    package func expected(over proto: SinkProfile.Proto) -> [ExpectedResponse] {
        var responses: [ExpectedResponse] = []
        // A stage is reached by the messages that passed the stages before it.
        var passed = 1.0
        for stage in proto == .smtp ? [Stage.mail, .rcpt, .data] : [.http] {
            var before = 0.0
            for rule in self[stage] {
                responses.append(ExpectedResponse(share: passed * (rule.limit - before), stage: stage, fault: rule.fault))
                before = rule.limit
            }
            passed *= 1 - min(1, before)
        }
        return responses
    }
}

extension SinkLimit {
    /// The response to messages above the limit.
    package func fault(over proto: SinkProfile.Proto) -> Fault { proto == .smtp ? smtp : http }
}
