import Foundation
import Telemetry

/// Figures for people.
package enum FigureText {
    /// With at most so many digits behind the point, and no zero at the end.
    package static func decimals(_ value: Double, _ digits: Int) -> String {
        var text = String(format: "%.\(digits)f", value)
        while text.contains("."), text.last == "0" || text.last == "." {
            let isPoint = text.removeLast() == "."
            if isPoint { break }
        }
        return text == "-0" ? "0" : text
    }

    package static func rate(_ perSecond: Double) -> String {
        let number = perSecond >= 100 ? grouped(Int(perSecond.rounded())) : decimals(perSecond, perSecond >= 10 ? 1 : 2)
        return "\(number)/s"
    }

    package static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.001: "\(decimals(seconds * 1e6, 1))us"
        case ..<1: "\(decimals(seconds * 1e3, seconds < 0.1 ? 1 : 0))ms"
        case ..<120: "\(decimals(seconds, seconds < 10 ? 2 : 1))s"
        default: "\(decimals(seconds / 60, 1))min"
        }
    }

    package static func size(_ bytes: Double) -> String {
        switch bytes {
        case ..<1e3: "\(Int(bytes))B"
        case ..<1e6: "\(decimals(bytes / 1e3, 0))kB"
        case ..<1e9: "\(decimals(bytes / 1e6, bytes < 1e8 ? 1 : 0))MB"
        default: "\(decimals(bytes / 1e9, 2))GB"
        }
    }

    /// Minutes and seconds since the start: `02:05`, and with hours `1:02:05`.
    package static func clock(_ seconds: Double) -> String {
        let whole = max(0, Int(seconds))
        let rest = String(format: "%02d:%02d", whole / 60 % 60, whole % 60)
        return whole >= 3_600 ? "\(whole / 3_600):\(rest)" : rest
    }
}
