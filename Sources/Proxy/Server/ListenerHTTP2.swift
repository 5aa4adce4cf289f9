import Config
import Core
import HTTP

/// A listener's settings for HTTP/2 as the data path wants them.
struct ListenerHTTP2 {
    let isEnabled: Bool
    let limits: H2Limits
    let clock: H2Clock.Settings
}
