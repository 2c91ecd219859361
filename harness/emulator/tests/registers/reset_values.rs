//! Reset values against those that the `stm32f4` crate generates from ST's SVD file.

use az3166_emulator::chip::BLOCKS;
use stm32f4::Resettable;
use stm32f4::stm32f412::*;

/// A reset value as the generated crate has it.
fn svd<R: Resettable>() -> u32
where
    R::Ux: Into<u32>,
{
    R::RESET_VALUE.into()
}

macro_rules! reset_values {
    ($($block:literal, $register:literal => $spec:ty,)*) => {
        &[$(($block, $register, svd::<$spec>)),*]
    };
}

type ResetValue = (&'static str, &'static str, fn() -> u32);

/// One of each kind of peripheral.
const SVD: &[ResetValue] = reset_values![
    "TIM2", "CR1" => tim2::cr1::CR1rs,
    "TIM2", "CR2" => tim2::cr2::CR2rs,
    "TIM2", "SMCR" => tim2::smcr::SMCRrs,
    "TIM2", "DIER" => tim2::dier::DIERrs,
    "TIM2", "SR" => tim2::sr::SRrs,
    "TIM2", "EGR" => tim2::egr::EGRrs,
    "TIM2", "CCMR1" => tim2::ccmr1_output::CCMR1_OUTPUTrs,
    "TIM2", "CCMR2" => tim2::ccmr2_output::CCMR2_OUTPUTrs,
    "TIM2", "CCER" => tim2::ccer::CCERrs,
    "TIM2", "CNT" => tim2::cnt::CNTrs,
    "TIM2", "PSC" => tim2::psc::PSCrs,
    "TIM2", "ARR" => tim2::arr::ARRrs,
    "TIM2", "CCR1" => tim2::ccr::CCRrs,
    "TIM2", "CCR2" => tim2::ccr::CCRrs,
    "TIM2", "CCR3" => tim2::ccr::CCRrs,
    "TIM2", "CCR4" => tim2::ccr::CCRrs,
    "TIM3", "CR1" => tim3::cr1::CR1rs,
    "TIM3", "CR2" => tim3::cr2::CR2rs,
    "TIM3", "SMCR" => tim3::smcr::SMCRrs,
    "TIM3", "DIER" => tim3::dier::DIERrs,
    "TIM3", "SR" => tim3::sr::SRrs,
    "TIM3", "EGR" => tim3::egr::EGRrs,
    "TIM3", "CCMR1" => tim3::ccmr1_output::CCMR1_OUTPUTrs,
    "TIM3", "CCMR2" => tim3::ccmr2_output::CCMR2_OUTPUTrs,
    "TIM3", "CCER" => tim3::ccer::CCERrs,
    "TIM3", "CNT" => tim3::cnt::CNTrs,
    "TIM3", "PSC" => tim3::psc::PSCrs,
    "TIM3", "ARR" => tim3::arr::ARRrs,
    "TIM3", "CCR1" => tim3::ccr::CCRrs,
    "TIM3", "CCR2" => tim3::ccr::CCRrs,
    "TIM3", "CCR3" => tim3::ccr::CCRrs,
    "TIM3", "CCR4" => tim3::ccr::CCRrs,
    "TIM9", "CR1" => tim12::cr1::CR1rs,
    "TIM9", "SMCR" => tim12::smcr::SMCRrs,
    "TIM9", "DIER" => tim12::dier::DIERrs,
    "TIM9", "SR" => tim12::sr::SRrs,
    "TIM9", "EGR" => tim12::egr::EGRrs,
    "TIM9", "CCMR1" => tim12::ccmr1_output::CCMR1_OUTPUTrs,
    "TIM9", "CCER" => tim12::ccer::CCERrs,
    "TIM9", "CNT" => tim12::cnt::CNTrs,
    "TIM9", "PSC" => tim12::psc::PSCrs,
    "TIM9", "ARR" => tim12::arr::ARRrs,
    "TIM9", "CCR1" => tim12::ccr::CCRrs,
    "TIM9", "CCR2" => tim12::ccr::CCRrs,
    "TIM10", "CR1" => tim10::cr1::CR1rs,
    "TIM10", "DIER" => tim10::dier::DIERrs,
    "TIM10", "SR" => tim10::sr::SRrs,
    "TIM10", "EGR" => tim10::egr::EGRrs,
    "TIM10", "CCMR1" => tim10::ccmr1_output::CCMR1_OUTPUTrs,
    "TIM10", "CCER" => tim10::ccer::CCERrs,
    "TIM10", "CNT" => tim10::cnt::CNTrs,
    "TIM10", "PSC" => tim10::psc::PSCrs,
    "TIM10", "ARR" => tim10::arr::ARRrs,
    "TIM10", "CCR1" => tim10::ccr::CCRrs,
    "RTC", "TR" => rtc::tr::TRrs,
    "RTC", "DR" => rtc::dr::DRrs,
    "RTC", "CR" => rtc::cr::CRrs,
    "RTC", "ISR" => rtc::isr::ISRrs,
    "RTC", "PRER" => rtc::prer::PRERrs,
    "RTC", "WUTR" => rtc::wutr::WUTRrs,
    "RTC", "ALRMAR" => rtc::alrmr::ALRMRrs,
    "RTC", "ALRMBR" => rtc::alrmr::ALRMRrs,
    "RTC", "WPR" => rtc::wpr::WPRrs,
    "RTC", "SSR" => rtc::ssr::SSRrs,
    "RTC", "CALR" => rtc::calr::CALRrs,
    "RTC", "TAFCR" => rtc::tafcr::TAFCRrs,
    "RTC", "ALRMASSR" => rtc::alrmssr::ALRMSSRrs,
    "RTC", "ALRMBSSR" => rtc::alrmssr::ALRMSSRrs,
    "IWDG", "KR" => iwdg::kr::KRrs,
    "IWDG", "PR" => iwdg::pr::PRrs,
    "IWDG", "RLR" => iwdg::rlr::RLRrs,
    "IWDG", "SR" => iwdg::sr::SRrs,
    "USART1", "SR" => usart1::sr::SRrs,
    "USART1", "DR" => usart1::dr::DRrs,
    "USART1", "BRR" => usart1::brr::BRRrs,
    "USART1", "CR1" => usart1::cr1::CR1rs,
    "USART1", "CR2" => usart1::cr2::CR2rs,
    "USART1", "CR3" => usart1::cr3::CR3rs,
    "USART1", "GTPR" => usart1::gtpr::GTPRrs,
    "I2C1", "CR1" => i2c1::cr1::CR1rs,
    "I2C1", "CR2" => i2c1::cr2::CR2rs,
    "I2C1", "OAR1" => i2c1::oar1::OAR1rs,
    "I2C1", "OAR2" => i2c1::oar2::OAR2rs,
    "I2C1", "DR" => i2c1::dr::DRrs,
    "I2C1", "SR1" => i2c1::sr1::SR1rs,
    "I2C1", "SR2" => i2c1::sr2::SR2rs,
    "I2C1", "CCR" => i2c1::ccr::CCRrs,
    "I2C1", "TRISE" => i2c1::trise::TRISErs,
    "I2C1", "FLTR" => i2c1::fltr::FLTRrs,
    "PWR", "CR" => pwr::cr::CRrs,
    "PWR", "CSR" => pwr::csr::CSRrs,
    "SYSCFG", "MEMRMP" => syscfg::memrmp::MEMRMPrs,
    "SYSCFG", "PMC" => syscfg::pmc::PMCrs,
    "SYSCFG", "EXTICR1" => syscfg::exticr1::EXTICR1rs,
    "SYSCFG", "EXTICR2" => syscfg::exticr2::EXTICR2rs,
    "SYSCFG", "EXTICR3" => syscfg::exticr3::EXTICR3rs,
    "SYSCFG", "EXTICR4" => syscfg::exticr4::EXTICR4rs,
    "SYSCFG", "CFGR2" => syscfg::cfgr2::CFGR2rs,
    "SYSCFG", "CMPCR" => syscfg::cmpcr::CMPCRrs,
    "SYSCFG", "CFGR" => syscfg::cfgr::CFGRrs,
    "EXTI", "IMR" => exti::imr::IMRrs,
    "EXTI", "EMR" => exti::emr::EMRrs,
    "EXTI", "RTSR" => exti::rtsr::RTSRrs,
    "EXTI", "FTSR" => exti::ftsr::FTSRrs,
    "EXTI", "SWIER" => exti::swier::SWIERrs,
    "EXTI", "PR" => exti::pr::PRrs,
    "GPIOA", "MODER" => gpioa::moder::MODERrs,
    "GPIOA", "OTYPER" => gpioa::otyper::OTYPERrs,
    "GPIOA", "OSPEEDR" => gpioa::ospeedr::OSPEEDRrs,
    "GPIOA", "PUPDR" => gpioa::pupdr::PUPDRrs,
    "GPIOA", "IDR" => gpioa::idr::IDRrs,
    "GPIOA", "ODR" => gpioa::odr::ODRrs,
    "GPIOA", "BSRR" => gpioa::bsrr::BSRRrs,
    "GPIOA", "LCKR" => gpioa::lckr::LCKRrs,
    "GPIOA", "AFRL" => gpioa::afrl::AFRLrs,
    "GPIOA", "AFRH" => gpioa::afrh::AFRHrs,
    "GPIOB", "MODER" => gpiob::moder::MODERrs,
    "GPIOB", "OTYPER" => gpioa::otyper::OTYPERrs,
    "GPIOB", "OSPEEDR" => gpiob::ospeedr::OSPEEDRrs,
    "GPIOB", "PUPDR" => gpiob::pupdr::PUPDRrs,
    "GPIOB", "IDR" => gpioa::idr::IDRrs,
    "GPIOB", "ODR" => gpioa::odr::ODRrs,
    "GPIOB", "BSRR" => gpioa::bsrr::BSRRrs,
    "GPIOB", "LCKR" => gpioa::lckr::LCKRrs,
    "GPIOB", "AFRL" => gpioa::afrl::AFRLrs,
    "GPIOB", "AFRH" => gpioa::afrh::AFRHrs,
    "GPIOC", "MODER" => gpioh::moder::MODERrs,
    "GPIOC", "OTYPER" => gpioa::otyper::OTYPERrs,
    "GPIOC", "OSPEEDR" => gpioh::ospeedr::OSPEEDRrs,
    "GPIOC", "PUPDR" => gpioh::pupdr::PUPDRrs,
    "GPIOC", "IDR" => gpioa::idr::IDRrs,
    "GPIOC", "ODR" => gpioa::odr::ODRrs,
    "GPIOC", "BSRR" => gpioa::bsrr::BSRRrs,
    "GPIOC", "LCKR" => gpioa::lckr::LCKRrs,
    "GPIOC", "AFRL" => gpioa::afrl::AFRLrs,
    "GPIOC", "AFRH" => gpioa::afrh::AFRHrs,
    "CRC", "DR" => crc::dr::DRrs,
    "CRC", "IDR" => crc::idr::IDRrs,
    "CRC", "CR" => crc::cr::CRrs,
    "RCC", "CR" => rcc::cr::CRrs,
    "RCC", "PLLCFGR" => rcc::pllcfgr::PLLCFGRrs,
    "RCC", "CFGR" => rcc::cfgr::CFGRrs,
    "RCC", "CIR" => rcc::cir::CIRrs,
    "RCC", "AHB1RSTR" => rcc::ahb1rstr::AHB1RSTRrs,
    "RCC", "AHB2RSTR" => rcc::ahb2rstr::AHB2RSTRrs,
    "RCC", "AHB3RSTR" => rcc::ahb3rstr::AHB3RSTRrs,
    "RCC", "APB1RSTR" => rcc::apb1rstr::APB1RSTRrs,
    "RCC", "APB2RSTR" => rcc::apb2rstr::APB2RSTRrs,
    "RCC", "AHB1ENR" => rcc::ahb1enr::AHB1ENRrs,
    "RCC", "AHB2ENR" => rcc::ahb2enr::AHB2ENRrs,
    "RCC", "AHB3ENR" => rcc::ahb3enr::AHB3ENRrs,
    "RCC", "APB1ENR" => rcc::apb1enr::APB1ENRrs,
    "RCC", "APB2ENR" => rcc::apb2enr::APB2ENRrs,
    "RCC", "AHB1LPENR" => rcc::ahb1lpenr::AHB1LPENRrs,
    "RCC", "AHB2LPENR" => rcc::ahb2lpenr::AHB2LPENRrs,
    "RCC", "AHB3LPENR" => rcc::ahb3lpenr::AHB3LPENRrs,
    "RCC", "APB1LPENR" => rcc::apb1lpenr::APB1LPENRrs,
    "RCC", "APB2LPENR" => rcc::apb2lpenr::APB2LPENRrs,
    "RCC", "BDCR" => rcc::bdcr::BDCRrs,
    "RCC", "CSR" => rcc::csr::CSRrs,
    "RCC", "SSCGR" => rcc::sscgr::SSCGRrs,
    "RCC", "PLLI2SCFGR" => rcc::plli2scfgr::PLLI2SCFGRrs,
    "RCC", "DCKCFGR" => rcc::dckcfgr::DCKCFGRrs,
    "RCC", "CKGATENR" => rcc::ckgatenr::CKGATENRrs,
    "RCC", "DCKCFGR2" => rcc::dckcfgr2::DCKCFGR2rs,
    "FLASH", "ACR" => flash::acr::ACRrs,
    "FLASH", "KEYR" => flash::keyr::KEYRrs,
    "FLASH", "OPTKEYR" => flash::optkeyr::OPTKEYRrs,
    "FLASH", "SR" => flash::sr::SRrs,
    "FLASH", "CR" => flash::cr::CRrs,
    "FLASH", "OPTCR" => flash::optcr::OPTCRrs,
    "RNG", "CR" => rng::cr::CRrs,
    "RNG", "SR" => rng::sr::SRrs,
    "RNG", "DR" => rng::dr::DRrs,
    "DBGMCU", "IDCODE" => dbgmcu::idcode::IDCODErs,
    "DBGMCU", "CR" => dbgmcu::cr::CRrs,
    "DBGMCU", "APB1_FZ" => dbgmcu::apb1_fz::APB1_FZrs,
    "DBGMCU", "APB2_FZ" => dbgmcu::apb2_fz::APB2_FZrs,
];

/// Where the SVD file is wrong, and RM0402 says otherwise.
const SVD_ERRORS: &[(&str, &str, u32, &str)] = &[
    ("TIM2", "ARR", 0xFFFF_FFFF, "15.4.12"),
    ("TIM3", "ARR", 0xFFFF, "15.4.12"),
    ("TIM9", "ARR", 0xFFFF, "16.5.10"),
    ("TIM10", "ARR", 0xFFFF, "16.6.9"),
    ("PWR", "CR", 0x8000, "5.4.1: VOS is scale 2"),
    ("RCC", "AHB1ENR", 0, "6.3.10: there is no CCM RAM"),
    (
        "FLASH",
        "OPTCR",
        0x0FFF_AAED,
        "3.8.6: what the factory programmed",
    ),
    ("DBGMCU", "IDCODE", 0x1000_6441, "30.6.1: device 0x441"),
];

fn expected(block: &str, register: &str, svd: u32) -> u32 {
    SVD_ERRORS
        .iter()
        .find(|(of, name, ..)| (*of, *name) == (block, register))
        .map_or(svd, |(_, _, value, _)| *value)
}

#[test]
fn tables() {
    let mut wrong = Vec::new();
    for (block, register, svd) in SVD {
        let table = BLOCKS
            .iter()
            .find(|candidate| candidate.name == *block)
            .unwrap();
        let line = table
            .registers
            .iter()
            .find(|line| line.name == *register)
            .unwrap();
        let wanted = expected(block, register, svd());
        if line.reset != wanted {
            wrong.push(format!(
                "{block}_{register}: {:#x}, SVD {wanted:#x}",
                line.reset
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_peripheral_is_listed() {
    for block in BLOCKS {
        let listed = SVD.iter().any(|(name, ..)| {
            let twin = BLOCKS
                .iter()
                .find(|candidate| candidate.name == *name)
                .unwrap();
            std::ptr::eq(twin.registers, block.registers)
        });
        assert!(listed, "{} has no reset values to compare with", block.name);
    }
}
