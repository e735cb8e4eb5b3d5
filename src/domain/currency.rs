//! Currencies and their minor units, as ISO 4217 lists them (list one, active codes; no funds or metals).

/// An ISO 4217 currency: three letters and the number of decimals of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
const FOUR: &str = "CLF UYW";
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE \
    CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG \
    HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
    MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW \
    ZWG";

impl Currency {
    /// Returns the currency with this code, which must be in upper case; `None` for any other text.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        [(2, TWO), (0, NONE), (3, THREE), (4, FOUR)]
            .into_iter()
            .find(|(_, list)| list.as_bytes().chunks(4).any(|listed| listed.starts_with(&letters)))
            .map(|(decimals, _)| Self { code: letters, decimals })
    }

    /// Returns its three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Returns the number of decimals that an amount in this currency has.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        u32::from(self.decimals)
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_currency_has_its_own_decimals() {
        for (code, decimals) in [("JPY", 0), ("EUR", 2), ("KWD", 3), ("CLF", 4), ("ZWG", 2), ("AED", 2)] {
            assert_eq!(Currency::parse(code).map(|c| c.decimals()), Some(decimals), "{code}");
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["eur", "", "EU", "EURO", "XXX", "E R", "   ", "ЕUR"] {
            assert_eq!(Currency::parse(text), None, "{text:?}");
        }
    }
}
