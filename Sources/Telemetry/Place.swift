import Hummingbird
enum TelemetryPlace {}
