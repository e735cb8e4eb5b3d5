//! A [`Currency`] is one of those that ISO 4217 lists, with its minor unit: list one (active codes; no metals) and list
//! three (withdrawn ones).
//!
//! Which currencies may be opened and which can be read are two questions. A currency that is withdrawn stays in the journal
//! of those who used it, so a code that was ever known here is known for ever; [`Currency::is_in_use`] says the rest. Where
//! list three was never given a minor unit, it is the one that the currency had.

/// A `Currency` is an ISO 4217 currency: three letters and the number of decimals of its minor unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency {
    code: [u8; 3],
    decimals: u8,
}

/// These currencies of list one have no minor unit: ISO 4217 gives them 0 decimals.
const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// These currencies of list one have a minor unit of 3 decimals.
const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";
/// These currencies of list one have a minor unit of 4 decimals. They are units of account.
const FOUR: &str = "CLF UYW";
/// These currencies of list one have a minor unit of 2 decimals.
const TWO: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE \
    CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG \
    HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK \
    MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE \
    SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW \
    ZWG";

/// These currencies of list three are withdrawn, and had no minor unit.
const WITHDRAWN_NONE: &str = "ADP BEC BEF BEL BYB BYR ESA ESB ESP GRD ITL LUC LUF LUL MGF PTE TPE TRL";
/// These currencies of list three are withdrawn, and their minor unit had 2 decimals.
const WITHDRAWN_TWO: &str = "AFA ALK ANG AOK AON AOR ARA ARP ARY ATS AYM AZM BAD BGJ BGK BGL BGN BOP BRB BRC BRE BRN BRR BUK \
    CHC CSD CSJ CSK CUC CYP DDM DEM ECS ECV EEK FIM FRF GEK GHC GHP GNE GNS GQE GWE GWP HRD HRK IEP \
    ILP ILR ISJ LAJ LSM LTL LTT LVL LVR MLF MRO MTL MTP MVQ MXP MZE MZM NIC NLG PEH PEI PES PLZ RHD \
    ROK ROL RUR SDD SDP SIT SKK SLL SRG STD SUR TJR TMM UAK UGS UGW USS UYN UYP VEB VEF VNC XEU YDD \
    YUD YUM YUN ZAL ZMK ZRN ZRZ ZWC ZWD ZWL ZWN ZWR";

impl Currency {
    /// Returns the currency with this code, which must be in upper case, in use or withdrawn; `None` for any other text.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        if !letters.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        [(2, TWO), (0, NONE), (3, THREE), (4, FOUR), (2, WITHDRAWN_TWO), (0, WITHDRAWN_NONE)]
            .into_iter()
            .find(|(_, list)| lists(list, letters))
            .map(|(decimals, _)| Self { code: letters, decimals })
    }

    /// Returns the codes of those that are in use, in which an account may be opened.
    pub fn in_use() -> impl Iterator<Item = &'static str> {
        [TWO, NONE, THREE, FOUR].into_iter().flat_map(str::split_ascii_whitespace)
    }

    /// Says whether it is in use. In a withdrawn one no account is opened any more; those that there are go on.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        ![WITHDRAWN_TWO, WITHDRAWN_NONE].into_iter().any(|list| lists(list, self.code))
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

fn lists(list: &str, letters: [u8; 3]) -> bool {
    list.as_bytes().chunks(4).any(|listed| listed.starts_with(&letters))
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

    /// Catches: a table that says both what may be opened and what can be read.
    #[test]
    fn a_withdrawn_currency_can_be_read_and_is_not_in_use() {
        for (code, decimals) in [("BGN", 2), ("HRK", 2), ("ANG", 2), ("ZWL", 2), ("DEM", 2), ("ITL", 0)] {
            let currency = Currency::parse(code).unwrap();
            assert_eq!((currency.decimals(), currency.is_in_use()), (decimals, false), "{code}");
        }
        assert!(Currency::parse("EUR").unwrap().is_in_use());
    }

    #[test]
    fn each_code_stands_once() {
        let mut all: Vec<_> = [NONE, TWO, THREE, FOUR, WITHDRAWN_NONE, WITHDRAWN_TWO]
            .into_iter()
            .flat_map(|list| list.split(' '))
            .collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|code| code.len() == 3));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["eur", "", "EU", "EURO", "XXX", "E R", "   ", "ЕUR"] {
            assert_eq!(Currency::parse(text), None, "{text:?}");
        }
    }
}
