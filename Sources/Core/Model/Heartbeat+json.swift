import Text

extension Heartbeat {
    /// Its mailings as a JSON object that `Heartbeat` decodes. A worker tells of thousands, and a general encoder takes as long for each of
    /// them as a message does.
    package var mailingsJSON: String {
        var text = "{"
        text.reserveCapacity(mailings.count * 96 + 2)
        for (id, share) in mailings {
            if text.utf8.count > 1 { text += "," }
            text.appendJSONString(id)
            text += ":"
            share.append(to: &text)
        }
        return text + "}"
    }
}

extension Heartbeat.Share {
    /// Appends what differs from a share of nothing.
    fileprivate func append(to text: inout String) {
        text += "{\"waiting\":\(waiting)"
        if let scope {
            text += ",\"scope\":"
            text.appendJSONString(scope.description)
        }
        for (name, value) in [("interval", interval), ("pause", pause)] where value != 0 && value.isFinite {
            text += ",\"\(name)\":\(value)"
        }
        if isDown { text += ",\"isDown\":true" }
        if !exhausted.isEmpty {
            text += ",\"exhausted\":"
            text.appendJSONString(exhausted)
        }
        text += "}"
    }
}
